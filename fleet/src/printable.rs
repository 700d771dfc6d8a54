//! Text of others as it may be shown on a terminal.

use std::borrow::Cow;

/// Returns one line of text in which nothing acts on a terminal: control characters, line breaks
/// among them, and what changes the direction of text are written as `\u{1b}`. For every label,
/// host, reason, path and error that is printed for people; JSON has escapes of its own.
#[must_use]
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(acts) {
        return text.into();
    }
    let mut shown = String::with_capacity(text.len());
    for char in text.chars() {
        if acts(char) {
            shown.extend(char.escape_unicode());
        } else {
            shown.push(char);
        }
    }
    shown.into()
}

/// Whether a terminal does something other than to show this character.
fn acts(char: char) -> bool {
    let turns = matches!(
        char,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    );
    let breaks = matches!(char, '\u{2028}' | '\u{2029}');
    char.is_control() || turns || breaks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_on_a_terminal_is_shown_as_its_number() {
        for (text, shown) in [
            ("b\u{1b}[31m\nproven", "b\\u{1b}[31m\\u{a}proven"),
            ("\r\t\u{7}\u{8}\u{7f}", "\\u{d}\\u{9}\\u{7}\\u{8}\\u{7f}"),
            ("\u{9b}2J \u{90}q\u{9c}", "\\u{9b}2J \\u{90}q\\u{9c}"),
            ("nib.\u{202e}hctab\u{2066}", "nib.\\u{202e}hctab\\u{2066}"),
            ("two\u{2028}lines", "two\\u{2028}lines"),
        ] {
            assert_eq!(printable(text), shown);
        }
    }

    #[test]
    fn text_of_people_stays_as_it_is() {
        for text in [
            "",
            "batch.bin",
            "Größe 10 µm",
            "данные",
            "バッチ",
            "a\\u{1b}b",
            "👩‍🚀",
        ] {
            assert!(matches!(printable(text), Cow::Borrowed(same) if same == text));
        }
    }
}
