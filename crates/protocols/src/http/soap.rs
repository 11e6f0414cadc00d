//! SOAP documents (SOAP 1.1 and 1.2): their elements, and the login that WS-Security puts into their header.

use std::borrow::Cow;

use quaywatch_model::Weakness;

use super::auth::{Attempt, Shown};
use crate::login::{Secret, forget};

/// Characters kept of an account name.
const MAX_ACCOUNT: usize = 128;

/// Elements around one that are asked for its namespace: an envelope and a body are, and hostile documents are deep.
const MAX_DEPTH: usize = 8;

/// An element, in the order of the start tags.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Element<'a> {
    /// Its name without the prefix.
    pub(super) name: &'a str,
    prefix: &'a str,
    attributes: &'a str,
    /// How many elements it lies in.
    pub(super) depth: usize,
    /// Its text up to the first element in it, entities as they are.
    pub(super) text: &'a str,
}

/// Reads a document element by element, without keeping any of it.
#[derive(Clone, Debug)]
pub(super) struct Elements<'a> {
    rest: &'a str,
    depth: usize,
}

impl<'a> Elements<'a> {
    /// The elements of a document; none if it is not text.
    pub(super) fn of(document: &'a [u8]) -> Self {
        Elements { rest: std::str::from_utf8(document).unwrap_or_default(), depth: 0 }
    }

    /// Passes over all up to this element; the next one is the first behind its start tag.
    pub(super) fn enter(&mut self, name: &str) -> Option<Element<'a>> {
        self.find(|element| element.name == name)
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        loop {
            let (_, tag) = self.rest.split_once('<')?;
            if let Some(comment) = tag.strip_prefix("!--") {
                self.rest = comment.split_once("-->")?.1;
                continue;
            }
            let (head, after) = tag.split_once('>')?;
            self.rest = after;
            if head.starts_with(['?', '!']) {
                continue;
            }
            if head.starts_with('/') {
                self.depth = self.depth.saturating_sub(1);
                continue;
            }
            let (head, is_empty) = head.strip_suffix('/').map_or((head, false), |head| (head, true));
            let end = head.find(|c: char| c.is_ascii_whitespace()).unwrap_or(head.len());
            let (full, attributes) = head.split_at_checked(end)?;
            let (prefix, name) = full.split_once(':').unwrap_or(("", full));
            let text = if is_empty { "" } else { after.split('<').next().unwrap_or_default().trim() };
            let depth = self.depth;
            if !is_empty {
                self.depth = self.depth.saturating_add(1);
            }
            return Some(Element { name, prefix, attributes, depth, text });
        }
    }
}

impl<'a> Element<'a> {
    /// Its attributes with their values.
    fn attributes(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        let mut rest = self.attributes;
        std::iter::from_fn(move || {
            let (name, after) = rest.split_once('=')?;
            let after = after.trim_start();
            let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''))?;
            let (value, tail) = after.get(1..)?.split_once(quote)?;
            rest = tail;
            Some((name.trim(), value))
        })
    }

    /// The value of an attribute, by its name without a prefix.
    pub(super) fn attribute(&self, wanted: &str) -> Option<&'a str> {
        let local = |name: &'a str| name.rsplit_once(':').map_or(name, |(_, local)| local);
        self.attributes().find_map(|(name, value)| (local(name) == wanted).then_some(value))
    }

    /// What it says that its own prefix, or the want of one, stands for.
    fn declared(&self, prefix: &str) -> Option<&'a str> {
        let is = |name: &str| match name.strip_prefix("xmlns:") {
            Some(declared) => declared == prefix,
            None => name == "xmlns" && prefix.is_empty(),
        };
        self.attributes().find_map(|(name, value)| is(name).then_some(value))
    }

    /// Its namespace, as the nearest element around it says (Namespaces in XML 1.0 section 6).
    pub(super) fn namespace(&self, document: &'a [u8]) -> Option<&'a str> {
        // The last element of each depth before this one is the one around it.
        let around = |depth| Elements::of(document).take_while(|e| e != self).filter(|e| e.depth == depth).last();
        self.declared(self.prefix)
            .or_else(|| (0..self.depth.min(MAX_DEPTH)).rev().find_map(|depth| around(depth)?.declared(self.prefix)))
    }
}

/// Text without entities (XML 1.0 section 4.6 and 4.1); what is no known entity stays as it is.
pub(super) fn plain(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        plain.push_str(before);
        let meant = after.split_once(';').and_then(|(entity, tail)| Some((character(entity)?, tail)));
        let (c, tail) = meant.unwrap_or(('&', after));
        plain.push(c);
        rest = tail;
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}

fn character(entity: &str) -> Option<char> {
    match entity {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = entity.strip_prefix('#')?;
            let code = match number.strip_prefix('x') {
                Some(digits) => u32::from_str_radix(digits, 16),
                None => number.parse(),
            };
            char::from_u32(code.ok()?)
        }
    }
}

/// An account name: printable, of bounded length.
pub(super) fn account(text: &str) -> String {
    plain(text).chars().filter(|c| !c.is_control()).take(MAX_ACCOUNT).collect()
}

/// Looks at a secret and forgets it.
pub(super) fn examine(account: &str, text: &str) -> Secret {
    let mut secret = plain(text).into_owned().into_bytes();
    let examined = Secret::examine(account, &secret);
    forget(&mut secret);
    examined
}

/// The login of a document: a user name with its password or a digest over it (OASIS Web Services Security, UsernameToken
/// Profile 1.0 section 3).
pub(super) fn login(document: &[u8]) -> Option<Attempt> {
    let mut elements = Elements::of(document);
    let token = elements.enter("UsernameToken")?;
    let mut name = None;
    let mut password = None;
    for element in elements.take_while(|element| element.depth > token.depth) {
        match element.name {
            "Username" => name = Some(account(element.text)),
            "Password" => password = Some(element),
            _ => {}
        }
    }
    let account = name?;
    // A name alone proves nothing and is no attempt; without a word the password is readable.
    let password = password?;
    let is_digest = password.attribute("Type").is_some_and(|kind| kind.ends_with("#PasswordDigest"));
    let (method, shown) = if is_digest {
        // SHA-1 over a nonce that the client chose: whoever heard it can send it again, and try words on it.
        ("wsse-digest", Shown::Proof(Weakness::WeakScheme, "WS-Security digest with SHA-1 and the client's nonce"))
    } else {
        ("wsse-text", Shown::Secret(examine(&account, password.text)))
    };
    Some(Attempt { method, account, realm: String::new(), shown })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = "<?xml version=\"1.0\"?><!-- <x> --><a:E xmlns:a='urn:a' xmlns=\"urn:d\"><a:B x='1' b:y = \"2>\"/>\
        <C>t &amp; u<D>v</D></C></a:E>";

    #[test]
    fn elements_are_read_in_order() {
        let read: Vec<_> = Elements::of(DOCUMENT.as_bytes()).map(|e| (e.name, e.depth, e.text)).collect();
        // An angle bracket in an attribute cuts the tag short; it does not derail what follows.
        assert_eq!(read, [("E", 0, ""), ("B", 1, "\"/>"), ("C", 2, "t &amp; u"), ("D", 3, "v")]);
        let mut elements = Elements::of(DOCUMENT.as_bytes());
        assert_eq!(elements.enter("E").unwrap().namespace(DOCUMENT.as_bytes()), Some("urn:a"));
        let b = elements.next().unwrap();
        assert_eq!((b.attribute("x"), b.namespace(DOCUMENT.as_bytes())), (Some("1"), Some("urn:a")));
        assert_eq!(b.attribute("y"), None);
        assert_eq!(elements.next().unwrap().namespace(DOCUMENT.as_bytes()), Some("urn:d"));
        let nested = "<E xmlns='1'><H><S xmlns='2'><T/></S></H><B xmlns='3'><C/><p:D/></B></E>";
        let of = |name| Elements::of(nested.as_bytes()).enter(name).unwrap().namespace(nested.as_bytes());
        assert_eq!([of("T"), of("H"), of("C"), of("D")], [Some("2"), Some("1"), Some("3"), None]);
        assert_eq!(plain("a &lt;&#65;&#x42;&bad;&"), "a <AB&bad;&");
    }

    /// UsernameToken Profile 1.0, the examples of section 3.1 shortened.
    fn token(kind: &str, password: &str) -> String {
        format!(
            "<S11:Envelope xmlns:S11=\"...\" xmlns:wsse=\"...\"><S11:Header><wsse:Security><wsse:UsernameToken>\
             <wsse:Username>NNK</wsse:Username><wsse:Password{kind}>{password}</wsse:Password>\
             <wsse:Nonce>WScqanjCEAC4mQoBE07sAQ==</wsse:Nonce><wsu:Created>2003-07-16T01:24:32Z</wsu:Created>\
             </wsse:UsernameToken></wsse:Security></S11:Header><S11:Body/></S11:Envelope>"
        )
    }

    #[test]
    fn logins_are_looked_at_and_forgotten() {
        let clear = login(token("", "weYI3nXd8LjMNVksCKFV8t3rgHh3Rw==").as_bytes()).unwrap();
        assert_eq!((clear.method, clear.account.as_str()), ("wsse-text", "NNK"));
        assert_eq!(clear.shown, Shown::Secret(Secret::Readable));
        let kind = " Type=\"http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordDigest\"";
        let digest = login(token(kind, "weYI3nXd8LjMNVksCKFV8t3rgHh3Rw==").as_bytes()).unwrap();
        assert_eq!(digest.method, "wsse-digest");
        assert!(matches!(digest.shown, Shown::Proof(Weakness::WeakScheme, _)));
        assert_eq!(login(token("", "NN&#x4b;").as_bytes()).unwrap().shown, Shown::Secret(Secret::SameAsAccount));
        assert!(login(b"<a><Username>x</Username><Password>y</Password></a>").is_none());
        assert!(login(b"<UsernameToken><Username>x</Username></UsernameToken>").is_none());
    }

    #[test]
    fn cut_documents_do_no_harm() {
        let token = token("", "x");
        for document in [DOCUMENT, token.as_str()] {
            for end in 0..document.len() {
                let cut = &document.as_bytes()[..end];
                login(cut);
                Elements::of(cut).for_each(|element| {
                    element.namespace(cut);
                    element.attribute("z");
                });
            }
        }
    }
}
