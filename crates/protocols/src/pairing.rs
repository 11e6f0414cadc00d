//! Holds requests until their replies come.

use std::collections::VecDeque;

/// Requests waiting for replies, oldest first, bounded. Keys need not be unique: the oldest match is taken.
#[derive(Debug)]
pub struct Pairing<K, R> {
    waiting: VecDeque<(K, R)>,
    limit: usize,
}

impl<K: PartialEq, R> Pairing<K, R> {
    /// Holds at most `limit` requests.
    #[must_use]
    pub const fn new(limit: usize) -> Self {
        Pairing { waiting: VecDeque::new(), limit }
    }

    /// Adds a request. If the limit is passed the oldest is returned: it will have no reply.
    pub fn ask(&mut self, key: K, request: R) -> Option<R> {
        self.waiting.push_back((key, request));
        if self.waiting.len() > self.limit { self.waiting.pop_front().map(|(_, request)| request) } else { None }
    }

    /// Takes the oldest request of this key.
    pub fn answer(&mut self, key: &K) -> Option<R> {
        let at = self.waiting.iter().position(|(k, _)| k == key)?;
        self.waiting.remove(at).map(|(_, request)| request)
    }

    /// Takes the oldest request of this key that fits.
    pub fn answer_where(&mut self, key: &K, fits: impl Fn(&R) -> bool) -> Option<R> {
        let at = self.waiting.iter().position(|(k, request)| k == key && fits(request))?;
        self.waiting.remove(at).map(|(_, request)| request)
    }

    /// Takes the oldest request of all: for a reply that does not say what it answers.
    pub fn oldest(&mut self) -> Option<R> {
        self.waiting.pop_front().map(|(_, request)| request)
    }

    /// The oldest request of this key, left in place.
    #[must_use]
    pub fn find(&self, key: &K) -> Option<&R> {
        self.waiting.iter().find(|(k, _)| k == key).map(|(_, request)| request)
    }

    /// Takes all that wait, oldest first: the flow ended or lost bytes.
    pub fn drain(&mut self) -> impl Iterator<Item = R> + '_ {
        self.waiting.drain(..).map(|(_, request)| request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_find_the_oldest_request() {
        let mut pairing = Pairing::new(2);
        assert_eq!(pairing.ask(1, "a"), None);
        assert_eq!(pairing.ask(1, "b"), None);
        assert_eq!(pairing.ask(2, "c"), Some("a"));
        assert_eq!(pairing.answer(&1), Some("b"));
        assert_eq!(pairing.answer(&1), None);
        assert_eq!(pairing.ask(2, "d"), None);
        assert_eq!(pairing.answer_where(&2, |request| *request == "d"), Some("d"));
        assert_eq!(pairing.answer_where(&2, |request| *request == "d"), None);
        assert_eq!(pairing.drain().collect::<Vec<_>>(), ["c"]);
    }
}
