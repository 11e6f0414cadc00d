//! Source text with its comments and literals blanked, so that rules on code look at code only.

/// Rust without comments and without the content of text and character literals. Lines stay where they are.
pub(crate) fn rust(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let mut blanker = Blanker { characters: &characters, at: 0, out: String::with_capacity(text.len()) };
    while let Some(character) = blanker.peek(0) {
        match (character, blanker.peek(1)) {
            ('/', Some('/')) => blanker.blank_while(|c| c != '\n'),
            ('/', Some('*')) => blanker.block_comment(),
            ('"', _) => blanker.quoted('"'),
            ('r', Some('"' | '#')) if !blanker.inside_word() => blanker.raw_text(),
            ('\'', Some('\\')) => blanker.quoted('\''),
            ('\'', Some(_)) if blanker.peek(2) == Some('\'') => blanker.blank(3),
            _ => blanker.keep(),
        }
    }
    blanker.out
}

/// Python without comments and without the content of text literals.
pub(crate) fn python(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let mut blanker = Blanker { characters: &characters, at: 0, out: String::with_capacity(text.len()) };
    while let Some(character) = blanker.peek(0) {
        match character {
            '#' => blanker.blank_while(|c| c != '\n'),
            quote @ ('"' | '\'') if blanker.peek(1) == Some(quote) && blanker.peek(2) == Some(quote) => {
                blanker.blank(3);
                while blanker.peek(0).is_some() && (0..3).any(|ahead| blanker.peek(ahead) != Some(quote)) {
                    blanker.blank(1);
                }
                blanker.blank(3);
            }
            quote @ ('"' | '\'') => blanker.quoted(quote),
            _ => blanker.keep(),
        }
    }
    blanker.out
}

/// Code up to its test module; tests stand at the end of a file.
pub(crate) fn without_tests(code: &str) -> &str {
    let mut from = 0;
    while let Some(found) = code.get(from..).and_then(|rest| rest.find("#[cfg(test)]")) {
        let at = from + found;
        let rest = code.get(at + "#[cfg(test)]".len()..).unwrap_or_default().trim_start();
        let line = rest.lines().next().unwrap_or_default().trim_end();
        if line.starts_with("mod ") && line.ends_with('{') {
            return code.get(..at).unwrap_or(code);
        }
        from = at + 1;
    }
    code
}

/// Words (`[A-Za-z0-9_]+`) of a line of code.
pub(crate) fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

struct Blanker<'a> {
    characters: &'a [char],
    at: usize,
    out: String,
}

impl Blanker<'_> {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.characters.get(self.at + ahead).copied()
    }

    fn inside_word(&self) -> bool {
        // `br"` is a byte text; any other letter ahead makes the `r` part of a name.
        let before = self.at.checked_sub(1).and_then(|at| self.characters.get(at));
        before.is_some_and(|c| (c.is_alphanumeric() || *c == '_') && *c != 'b')
    }

    fn keep(&mut self) {
        self.out.extend(self.peek(0));
        self.at += 1;
    }

    fn blank(&mut self, count: usize) {
        for _ in 0..count {
            self.out.extend(self.peek(0).map(|c| if c == '\n' { c } else { ' ' }));
            self.at += 1;
        }
    }

    fn blank_while(&mut self, wanted: impl Fn(char) -> bool) {
        while self.peek(0).is_some_and(&wanted) {
            self.blank(1);
        }
    }

    fn block_comment(&mut self) {
        let mut depth = 0;
        while let Some(character) = self.peek(0) {
            match (character, self.peek(1)) {
                ('/', Some('*')) => depth += 1,
                ('*', Some('/')) => depth -= 1,
                _ => {
                    self.blank(1);
                    continue;
                }
            }
            self.blank(2);
            if depth == 0 {
                return;
            }
        }
    }

    fn quoted(&mut self, quote: char) {
        self.blank(1);
        while let Some(character) = self.peek(0) {
            match character {
                '\\' => self.blank(2),
                _ => self.blank(1),
            }
            if character == quote {
                return;
            }
        }
    }

    fn raw_text(&mut self) {
        let hashes = (1..).take_while(|ahead| self.peek(*ahead) == Some('#')).count();
        if self.peek(1 + hashes) != Some('"') {
            // A raw name such as `r#type`.
            return self.keep();
        }
        self.blank(hashes + 2);
        while let Some(character) = self.peek(0) {
            if character == '"' && (1..=hashes).all(|ahead| self.peek(ahead) == Some('#')) {
                return self.blank(hashes + 1);
            }
            self.blank(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_of_rust_go_and_lines_stay() {
        let text = "a // b\n/* c\n/* d */ e */ f \"g \\\" h\" r#\"i \" j\"# 'k' '\\'' &'l m r#type br\"n\" o\n";
        let code = rust(text);
        assert_eq!(code.lines().count(), text.lines().count());
        assert_eq!(words(&code).collect::<Vec<_>>(), ["a", "f", "l", "m", "r", "type", "b", "o"]);
    }

    #[test]
    fn comments_and_literals_of_python_go() {
        let code = python("a = 'b' # c\n\"\"\"d\n'e'\"\"\"\nf(\"g\\\"h\", i)\n");
        assert_eq!(words(&code).collect::<Vec<_>>(), ["a", "f", "i"]);
        assert_eq!(code.lines().count(), 4);
    }

    #[test]
    fn only_a_test_module_ends_the_code() {
        let code = "#[cfg(test)]\nmod fixtures;\nfn a() {}\n#[cfg(test)]\nmod tests {\nfn b() {}\n}\n";
        assert!(without_tests(code).ends_with("fn a() {}\n"));
        assert_eq!(without_tests("fn a() {}"), "fn a() {}");
    }
}
