//! Which groups have rows that lie on their own.
//!
//! Most groups have none, and whoever reads a row of theirs need not look among the loose ones. That saves a read, and
//! the waiting: the row store's engine lets nobody read a keyspace while it puts a table in place, which takes five
//! syncs of the disk, and loose rows are written all the time.

use std::sync::Arc;

use parking_lot::RwLock;

/// A bit a group, as of one moment.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Groups(Vec<u64>);

impl Groups {
    pub(crate) fn has(&self, group: u64) -> bool {
        let word = self.0.get((group / 64) as usize);
        word.is_some_and(|word| word >> (group % 64) & 1 == 1)
    }

    fn set(&mut self, group: u64, is_loose: bool) {
        let (at, bit) = ((group / 64) as usize, 1 << (group % 64));
        if is_loose {
            if self.0.len() <= at {
                self.0.resize(at + 1, 0);
            }
            self.0[at] |= bit;
        } else if let Some(word) = self.0.get_mut(at) {
            *word &= !bit;
        }
    }
}

/// What one writer changes and readers take as it is. To be added to before rows are written loose, and removed from after
/// they were packed, so that at every moment it has at least the groups that it must have.
#[derive(Debug, Default)]
pub(crate) struct Loose(RwLock<Arc<Groups>>);

impl Loose {
    pub(crate) fn now(&self) -> Arc<Groups> {
        self.0.read().clone()
    }

    pub(crate) fn add(&self, groups: impl Iterator<Item = u64>) {
        self.change(groups, true);
    }

    pub(crate) fn remove(&self, groups: impl Iterator<Item = u64>) {
        self.change(groups, false);
    }

    /// Copies what readers may hold: 50 KiB for each 10 million payments.
    fn change(&self, groups: impl Iterator<Item = u64>, is_loose: bool) {
        let old = self.now();
        let mut changed = groups.filter(|group| old.has(*group) != is_loose).peekable();
        if changed.peek().is_none() {
            return;
        }
        let mut new = Groups(old.0.clone());
        changed.for_each(|group| new.set(group, is_loose));
        *self.0.write() = Arc::new(new);
    }

    /// What `take` gives, and the groups at that moment: both are taken again where they have changed meanwhile.
    pub(crate) fn beside<T>(&self, mut take: impl FnMut() -> T) -> (T, Arc<Groups>) {
        loop {
            let before = self.now();
            let taken = take();
            if Arc::ptr_eq(&before, &self.now()) {
                return (taken, before);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_come_and_go() {
        let loose = Loose::default();
        loose.add([3, 64, 200].into_iter());
        let then = loose.now();
        loose.remove([64, 1_000].into_iter());
        let held: Vec<u64> = (0..300).filter(|group| loose.now().has(*group)).collect();
        assert_eq!(held, [3, 200]);
        assert!(then.has(64), "a reader keeps what it took");
    }

    #[test]
    fn nothing_is_taken_across_a_change() {
        let loose = Loose::default();
        let mut times = 0;
        let (taken, groups) = loose.beside(|| {
            times += 1;
            if times == 1 {
                loose.add(std::iter::once(7));
            }
            times
        });
        assert_eq!(taken, 2);
        assert!(groups.has(7));
    }
}
