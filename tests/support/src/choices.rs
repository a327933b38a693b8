//! Every choice of a number of things.

use std::iter::successors;

/// Every choice of `count` of these, in their order; a choice may have one of them more than once.
pub fn choices<T: Clone>(these: Vec<T>, count: usize) -> impl Iterator<Item = Vec<T>> {
    let first = (count == 0 || !these.is_empty()).then(|| vec![0; count]);
    let last = these.len().saturating_sub(1);
    let indices = successors(first, move |indices: &Vec<usize>| {
        let at = indices.iter().rposition(|index| *index < last)?;
        let mut next = indices.clone();
        next[at..].fill(indices[at] + 1);
        Some(next)
    });
    indices.map(move |indices| indices.into_iter().map(|index| these[index].clone()).collect())
}

#[cfg(test)]
mod tests {
    use super::choices;

    #[test]
    fn each_choice_comes_once_and_in_order() {
        let pairs: Vec<_> = choices(vec!['a', 'b', 'c'], 2).map(String::from_iter).collect();
        assert_eq!(pairs, ["aa", "ab", "ac", "bb", "bc", "cc"]);
        assert_eq!(choices(vec![0; 5], 4).count(), 70, "8 over 4");
    }

    #[test]
    fn there_is_one_choice_of_nothing_and_none_from_nothing() {
        assert_eq!(choices(vec!['a'], 0).collect::<Vec<_>>(), [[]]);
        assert_eq!(choices(Vec::<char>::new(), 2).count(), 0);
    }
}
