//! A kernel's text without what only people read. Lines stay where they are, so that a compiler's message names the line of
//! the file. The build uses this file too, for the file that a page fetches.

/// Writes the text without comments, indentation and spaces at a line's end into the first bytes, as far as there are any,
/// and returns how many it has.
pub(crate) const fn strip(text: &str, out: &mut [u8]) -> usize {
    let bytes = text.as_bytes();
    let (mut length, mut at, mut spaces) = (0, 0, 0);
    let mut begins = true;
    while at < bytes.len() {
        if bytes[at] == b'/' && at + 1 < bytes.len() && bytes[at + 1] == b'/' {
            while at < bytes.len() && bytes[at] != b'\n' {
                at += 1;
            }
            continue;
        }
        match bytes[at] {
            b' ' => spaces += 1,
            byte => {
                while spaces > 0 {
                    if !begins && byte != b'\n' {
                        if length < out.len() {
                            out[length] = b' ';
                        }
                        length += 1;
                    }
                    spaces -= 1;
                }
                begins = byte == b'\n';
                if length < out.len() {
                    out[length] = byte;
                }
                length += 1;
            }
        }
        at += 1;
    }
    length
}

#[cfg(test)]
mod tests {
    use super::strip;

    #[test]
    fn comments_and_indentation_go_and_lines_stay() {
        let text = "// A header — with a dash.\n\nfn f() {  // Why.\n    let  a = 1 / 2;\n}\n  // The end.";
        let wanted = "\n\nfn f() {\nlet  a = 1 / 2;\n}\n";
        let mut bytes = [0; 100];
        let length = strip(text, &mut bytes);
        assert_eq!(&bytes[..length], wanted.as_bytes());
        assert_eq!(strip(text, &mut []), length);
    }
}
