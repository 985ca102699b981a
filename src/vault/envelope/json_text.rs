//! The text of a JSON string, in a buffer that is wiped.
//!
//! `serde_json` decodes a string that has escapes in a buffer of its own, and frees it with the secret in it.

use std::str::Chars;

use zeroize::Zeroizing;

/// The text of the JSON string `json` (RFC 8259, section 7), quotes included; `None` if it is not one.
pub(super) fn decode(json: &str) -> Option<Zeroizing<String>> {
    let inner = json.strip_prefix('"')?.strip_suffix('"')?;
    // No escape is shorter than what it stands for, so that the buffer does not grow.
    let mut text = Zeroizing::new(String::with_capacity(inner.len()));
    let mut rest = inner.chars();
    while let Some(char) = rest.next() {
        text.push(match char {
            '\\' => escaped(&mut rest)?,
            '"' | '\0'..='\u{1f}' => return None,
            other => other,
        });
    }
    Some(text)
}

fn escaped(rest: &mut Chars<'_>) -> Option<char> {
    Some(match rest.next()? {
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'u' => return utf16(rest),
        same @ ('"' | '\\' | '/') => same,
        _ => return None,
    })
}

/// The character of one UTF-16 unit, or of the two of a surrogate pair.
fn utf16(rest: &mut Chars<'_>) -> Option<char> {
    let first = unit(rest)?;
    if let Some(Ok(char)) = char::decode_utf16([first]).next() {
        return Some(char);
    }
    let ('\\', 'u') = (rest.next()?, rest.next()?) else {
        return None;
    };
    char::decode_utf16([first, unit(rest)?]).next()?.ok()
}

fn unit(rest: &mut Chars<'_>) -> Option<u16> {
    let mut unit = 0;
    for _ in 0..4 {
        unit = unit * 16 + rest.next()?.to_digit(16)?;
    }
    u16::try_from(unit).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `serde_json` makes of it.
    fn expected(json: &str) -> Option<String> {
        serde_json::from_str(json).ok()
    }

    #[test]
    fn every_character_comes_back_from_what_serde_json_writes() {
        for char in '\0'..=char::MAX {
            let text = format!("a{char}b");
            let json = serde_json::to_string(&text).unwrap();
            assert_eq!(decode(&json).unwrap().as_str(), text, "{json}");
        }
    }

    #[test]
    fn strings_that_others_write_are_read_as_serde_json_reads_them() {
        for json in [
            r#""""#,
            r#""\/\b\f\n\r\t\"\\""#,
            r#""\u0041\u00fc\u00FC\ud83d\udd11\uD83D\uDD11""#,
            r#""\ud83d""#,
            r#""\ud83d\u0041""#,
            r#""\udd11""#,
            r#""\udd11\ud83d""#,
            r#""\ud83dx""#,
            r#""\u00f""#,
            r#""\u00fx""#,
            r#""\x""#,
            r#""\""#,
            r#"""""#,
            "\"\n\"",
            "\"",
            "",
            "null",
            "1",
            r#"["a"]"#,
        ] {
            let decoded = decode(json).map(|text| text.as_str().to_owned());
            assert_eq!(decoded, expected(json), "{json}");
        }
    }
}
