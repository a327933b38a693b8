-- The tables of the bank. Balances are in cents.
create table if not exists accounts (
    tenant bigint not null,
    number bigint not null,
    balance bigint not null,
    primary key (tenant, number)
);

create table if not exists statements (
    tenant bigint not null,
    month text not null,
    accounts bigint not null,
    total bigint not null,
    primary key (tenant, month)
);
