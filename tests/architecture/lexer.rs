//! Rust source as tokens, without comments and without the insides of literals: just enough for the
//! rules to see paths, braces and keywords.

/// An identifier or one character of punctuation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) text: String,
    /// Counted from 1.
    pub(super) line: usize,
}

/// A path as written, `use` trees expanded: `use a::{b, c::d}` gives `a::b` and `a::c::d`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Path {
    pub(super) parts: Vec<String>,
    /// Counted from 1.
    pub(super) line: usize,
    /// Whether an exclamation mark follows.
    pub(super) is_macro: bool,
    /// Whether it follows the keyword `use`.
    pub(super) is_use: bool,
    /// Whether it stands in code that only tests have.
    pub(super) in_tests: bool,
    /// How many inline modules surround it.
    pub(super) nesting: usize,
}

/// The tokens of `source`.
pub(super) fn tokens(source: &str) -> Vec<Token> {
    let text: Vec<char> = source.chars().collect();
    let mut tokens = vec![];
    let (mut at, mut line) = (0, 1);
    while at < text.len() {
        let end = end_of(&text, at);
        if is_token(&text[at..end]) {
            let text = text[at..end].iter().collect();
            tokens.push(Token { text, line });
        }
        line += text[at..end].iter().filter(|&&c| c == '\n').count();
        at = end;
    }
    tokens
}

fn is_token(text: &[char]) -> bool {
    let first = text[0];
    let literal = text.contains(&'"') || (text.contains(&'\'') && text.len() > 1);
    let comment = first == '/' && text.len() > 1;
    !(first.is_whitespace() || literal || comment)
}

/// Where the comment, literal, word or character that begins at `at` ends.
fn end_of(text: &[char], at: usize) -> usize {
    let rest = &text[at..];
    let end = match rest {
        ['/', '/', ..] => at + rest.iter().take_while(|&&c| c != '\n').count(),
        ['/', '*', ..] => at + block_comment(rest),
        ['"', ..] => at + quoted(rest, 0),
        ['\'', '\\', ..] => at + 2 + position(&rest[2..], '\'', 1) + 1,
        ['\'', _, '\'', ..] => at + 3,
        [c, ..] if is_word(*c) => {
            let word = rest.iter().take_while(|&&c| is_word(c)).count();
            at + word + literal_after(&rest[..word], &rest[word..])
        }
        _ => at + 1,
    };
    end.min(text.len())
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Index of `wanted` at or after `from`, else the length.
fn position(text: &[char], wanted: char, from: usize) -> usize {
    let tail = text.iter().skip(from);
    from + tail.take_while(|&&c| c != wanted).count()
}

fn block_comment(text: &[char]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        match text[at..] {
            ['/', '*', ..] => (depth, at) = (depth + 1, at + 2),
            ['*', '/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// Length of a string literal whose opening quote is at `open`.
fn quoted(text: &[char], open: usize) -> usize {
    let mut at = open + 1;
    while at < text.len() && text[at] != '"' {
        at += if text[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

/// Length of the literal that a prefix such as `b`, `r` or `br` begins, 0 when it begins none.
fn literal_after(word: &[char], rest: &[char]) -> usize {
    match (word, rest) {
        (['b' | 'c'], ['"', ..]) => quoted(rest, 0),
        (['b'], ['\'', '\\', ..]) => 2 + position(&rest[2..], '\'', 1) + 1,
        (['b'], ['\'', ..]) => 3,
        (['r'] | ['b' | 'c', 'r'], ['"' | '#', ..]) => raw(rest),
        _ => 0,
    }
}

/// Length of `#"..."#` with any number of hashes; 0 for a raw identifier.
fn raw(text: &[char]) -> usize {
    let hashes = text.iter().take_while(|&&c| c == '#').count();
    if text.get(hashes) != Some(&'"') {
        return 0;
    }
    let mut at = hashes + 1;
    while at < text.len() {
        let closing = text[at + 1..].iter().take_while(|&&c| c == '#').count();
        if text[at] == '"' && closing >= hashes {
            return at + 1 + hashes;
        }
        at += 1;
    }
    at
}

/// Every path in `tokens`, single words included.
pub(super) fn paths(tokens: &[Token]) -> Vec<Path> {
    let mut found = vec![];
    let mut modules = Modules::default();
    let mut at = 0;
    while at < tokens.len() {
        modules.step(tokens, at);
        if !is_name(&tokens[at]) {
            at += 1;
            continue;
        }
        let is_use = words_before(tokens, at) == "use";
        let from = found.len();
        at = tree(tokens, at, &[], &mut found);
        let is_macro = tokens.get(at).is_some_and(|token| token.text == "!");
        for path in &mut found[from..] {
            (path.is_use, path.is_macro) = (is_use, is_macro);
            (path.in_tests, path.nesting) = (modules.in_tests(), modules.open.len());
        }
    }
    found
}

pub(super) fn is_name(token: &Token) -> bool {
    token
        .text
        .starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// The word ahead of a path, a leading `::` skipped.
fn words_before(tokens: &[Token], mut at: usize) -> &str {
    while at > 0 && tokens[at - 1].text == ":" {
        at -= 1;
    }
    at.checked_sub(1).map_or("", |last| &tokens[last].text)
}

/// Appends the paths of the tree that begins at `at` and returns where it ends.
fn tree(tokens: &[Token], mut at: usize, prefix: &[String], found: &mut Vec<Path>) -> usize {
    let mut parts = prefix.to_vec();
    let line = tokens[at].line;
    let colons = |at: usize| {
        let next = tokens.get(at..at + 2);
        next.is_some_and(|next| next.iter().all(|token| token.text == ":"))
    };
    while let Some(token) = tokens.get(at) {
        if token.text == "{" && !parts.is_empty() {
            return group(tokens, at + 1, &parts, found);
        }
        if !is_name(token) && token.text != "*" {
            break;
        }
        parts.push(token.text.clone());
        at += 1;
        if !colons(at) {
            break;
        }
        at += 2;
    }
    found.push(Path {
        parts,
        line,
        is_macro: false,
        is_use: false,
        in_tests: false,
        nesting: 0,
    });
    at
}

/// The members of `{...}`, whose first token is at `at`.
fn group(tokens: &[Token], mut at: usize, prefix: &[String], found: &mut Vec<Path>) -> usize {
    while let Some(token) = tokens.get(at) {
        if token.text == "}" {
            return at + 1;
        }
        let renamed = at > 0 && tokens[at - 1].text == "as";
        if (is_name(token) && token.text != "as" && !renamed) || token.text == "*" {
            at = tree(tokens, at, prefix, found);
        } else {
            at += 1;
        }
    }
    at
}

/// The inline modules that are open at a token.
#[derive(Default)]
struct Modules {
    depth: usize,
    open: Vec<(usize, bool)>,
}

impl Modules {
    fn step(&mut self, tokens: &[Token], at: usize) {
        let text = |at: usize| tokens.get(at).map_or("", |token| token.text.as_str());
        match text(at) {
            "{" => {
                if at >= 2 && text(at - 2) == "mod" {
                    self.open.push((self.depth, only_for_tests(tokens, at - 2)));
                }
                self.depth += 1;
            }
            "}" => {
                self.depth = self.depth.saturating_sub(1);
                if self
                    .open
                    .last()
                    .is_some_and(|&(depth, _)| depth == self.depth)
                {
                    self.open.pop();
                }
            }
            _ => {}
        }
    }

    fn in_tests(&self) -> bool {
        self.open.iter().any(|&(_, tests)| tests)
    }
}

/// Whether `#[cfg(test)]` stands ahead of the `mod` at `at`, visibility and other attributes aside.
fn only_for_tests(tokens: &[Token], at: usize) -> bool {
    let ahead = tokens[..at].iter().rev();
    let ahead: Vec<&str> = ahead
        .map(|token| token.text.as_str())
        .take_while(|text| !matches!(*text, ";" | "}" | "{"))
        .collect();
    ahead
        .windows(4)
        .any(|four| four == [")", "test", "(", "cfg"])
}
