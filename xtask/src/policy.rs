//! The page's Content-Security-Policy: nothing is fetched from elsewhere, and no script runs that was not shipped.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest, Sha256};

/// Only a header can forbid embedding; browsers ignore it in a `<meta>`.
const ONLY_IN_HEADER: &str = "frame-ancestors 'none'";

/// The policy for a page whose one inline script, the import map, has this text.
pub(crate) fn for_import_map(import_map: &str) -> String {
    let hash = BASE64_STANDARD.encode(Sha256::digest(import_map));
    [
        "default-src 'none'",
        // Compiling wasm counts as evaluation; plain `eval` stays forbidden.
        &format!("script-src 'self' 'wasm-unsafe-eval' 'sha256-{hash}'"),
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "worker-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    .join("; ")
}

/// The `<meta>` element that carries a policy.
pub(crate) fn meta_element(policy: &str) -> String {
    format!("{META_START}{policy}{META_END}")
}

const META_START: &str = r#"<meta http-equiv="Content-Security-Policy" content=""#;
const META_END: &str = "\">";

/// The header for a page that carries its policy in a `<meta>` element; `None` if it carries none.
pub(crate) fn header_for(html: &str) -> Option<String> {
    let (_, rest) = html.split_once(META_START)?;
    let (policy, _) = rest.split_once(META_END)?;
    Some(format!("{policy}; {ONLY_IN_HEADER}"))
}

#[cfg(test)]
mod tests {
    use super::{for_import_map, header_for, meta_element};

    #[test]
    fn hash_is_the_one_browsers_compute() {
        // printf '{}' | openssl dgst -sha256 -binary | base64
        assert!(
            for_import_map("{}").contains("'sha256-RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o='")
        );
    }

    #[test]
    fn forbids_inline_code_and_every_other_origin() {
        let policy = for_import_map("{}");
        assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"));
        assert!(!policy.contains("http") && !policy.contains('*'));
    }

    #[test]
    fn header_is_the_meta_policy_and_forbids_embedding() {
        let policy = for_import_map("{}");
        let html = format!("<head>{}</head>", meta_element(&policy));
        assert_eq!(
            header_for(&html),
            Some(format!("{policy}; frame-ancestors 'none'"))
        );
        assert_eq!(header_for("<head></head>"), None);
    }
}
