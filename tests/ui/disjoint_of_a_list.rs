//! The values of a list whose length is known at run time only.
//!
//! ERROR `Vec<&str>` is not an array of names of type `String`
use lockladder::ganeti::seed::{Cluster, Node, Seed};
use lockladder::{Session, held};

fn wrong(mut job: Session<Seed, held![shared Cluster, exclusive Node]>, names: Vec<&str>) {
    let _values = job.get_disjoint_mut::<Node, _>(names);
}

fn main() {}
