//! The natural order of names: numbers in them count as numbers, so `node2` comes before `node10`.

use std::cmp::Ordering;

/// Compares two names as a person would sort them.
pub(crate) fn natural(one: &str, other: &str) -> Ordering {
    let (mut left, mut right) = (one, other);
    loop {
        let (first, second) = (piece(&mut left), piece(&mut right));
        let order = match (number(first), number(second)) {
            (Some(first), Some(second)) => first.len().cmp(&second.len()).then_with(|| first.cmp(second)),
            _ => first.cmp(second),
        };
        if order != Ordering::Equal || first.is_empty() {
            return order.then_with(|| one.cmp(other));
        }
    }
}

/// Takes off the longest beginning that is digits only, or no digits.
fn piece<'a>(text: &mut &'a str) -> &'a str {
    let is_number = text.starts_with(|char: char| char.is_ascii_digit());
    let end = text.find(|char: char| char.is_ascii_digit() != is_number).unwrap_or(text.len());
    let (piece, rest) = text.split_at(end);
    *text = rest;
    piece
}

/// The digits of a number, without leading zeros.
fn number(piece: &str) -> Option<&str> {
    piece.starts_with(|char: char| char.is_ascii_digit()).then(|| piece.trim_start_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::natural;

    #[test]
    fn numbers_in_names_count_as_numbers() {
        let mut names = ["node10", "node2", "node02", "node", "10", "9", "a1b10", "a1b9", "node2x", "é1"];
        names.sort_by(|one, other| natural(one, other));
        assert_eq!(names, ["9", "10", "a1b9", "a1b10", "node", "node02", "node2", "node2x", "node10", "é1"]);
    }
}
