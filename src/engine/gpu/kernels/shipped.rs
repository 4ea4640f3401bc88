//! What is shipped of a kernel's text: comments and indentation go when it is compiled. Lines stay where they are, so that
//! a compiler's message names the line of the file.

/// The text without comments, indentation and spaces at a line's end, in the first bytes; and how many those are, also
/// where `N` is too few for them.
pub(super) const fn stripped<const N: usize>(text: &str) -> ([u8; N], usize) {
    let bytes = text.as_bytes();
    let mut out = [0; N];
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
                        if length < N {
                            out[length] = b' ';
                        }
                        length += 1;
                    }
                    spaces -= 1;
                }
                begins = byte == b'\n';
                if length < N {
                    out[length] = byte;
                }
                length += 1;
            }
        }
        at += 1;
    }
    (out, length)
}

/// The text of a file beside this one, as it is shipped.
macro_rules! shipped {
    ($file:expr) => {{
        const TEXT: &str = include_str!($file);
        const LENGTH: usize = $crate::engine::gpu::kernels::shipped::stripped::<0>(TEXT).1;
        const SHIPPED: [u8; LENGTH] = $crate::engine::gpu::kernels::shipped::stripped(TEXT).0;
        match std::str::from_utf8(&SHIPPED) {
            Ok(text) => text,
            Err(_) => panic!("outside of comments a kernel is ASCII"),
        }
    }};
}
pub(super) use shipped;

#[cfg(test)]
mod tests {
    use super::stripped;

    #[test]
    fn comments_and_indentation_go_and_lines_stay() {
        let text = "// A header — with a dash.\n\nfn f() {  // Why.\n    let  a = 1 / 2;\n}\n  // The end.";
        let wanted = "\n\nfn f() {\nlet  a = 1 / 2;\n}\n";
        let (bytes, length) = stripped::<100>(text);
        assert_eq!(&bytes[..length], wanted.as_bytes());
        assert_eq!(stripped::<0>(text).1, wanted.len());
    }
}
