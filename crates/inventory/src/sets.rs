//! Disjoint sets whose root is their least member, so that the order of uniting does not show.

use std::collections::{BTreeMap, BTreeSet};

/// Disjoint sets of `T`.
#[derive(Debug)]
pub(crate) struct Sets<T> {
    parents: BTreeMap<T, T>,
}

impl<T> Default for Sets<T> {
    fn default() -> Self {
        Sets { parents: BTreeMap::new() }
    }
}

impl<T: Copy + Ord> Sets<T> {
    /// Adds a set of one.
    pub(crate) fn insert(&mut self, item: T) {
        self.parents.entry(item).or_insert(item);
    }

    /// The least member of the item's set.
    pub(crate) fn root(&self, item: T) -> T {
        let mut at = item;
        while let Some(parent) = self.parents.get(&at).filter(|parent| **parent != at) {
            at = *parent;
        }
        at
    }

    /// Makes one set of two.
    pub(crate) fn unite(&mut self, a: T, b: T) {
        self.insert(a);
        self.insert(b);
        let (a, b) = (self.root(a), self.root(b));
        self.parents.insert(a.max(b), a.min(b));
    }

    /// Every item with its root.
    pub(crate) fn members(&self) -> impl Iterator<Item = (T, T)> {
        self.parents.keys().map(|item| (*item, self.root(*item)))
    }

    /// The sets, by their least members.
    pub(crate) fn groups(&self) -> Vec<BTreeSet<T>> {
        let mut groups: BTreeMap<T, BTreeSet<T>> = BTreeMap::new();
        for (item, root) in self.members() {
            groups.entry(root).or_default().insert(item);
        }
        groups.into_values().collect()
    }
}
