//! The local web server: the built page on 127.0.0.1, with the headers that isolate it and state its policy.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use axum::Router;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderMap, HeaderName, HeaderValue, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::middleware::map_response;
use axum::response::Response;
use tower_http::services::ServeDir;

use crate::policy;

/// Sent with every answer. The first two isolate the page from others, which gives it a finer clock and threads.
const HEADERS: [(HeaderName, &str); 6] = [
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-embedder-policy"),
        "require-corp",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "no-referrer"),
    // Browsers ask each time and are told by ETag that nothing changed: a rebuilt page is never mixed with an old one.
    (CACHE_CONTROL, "no-cache"),
];

/// Takes the port, then builds the page, then serves it until stopped.
pub(crate) fn run(
    port: u16,
    until_stdin_ends: bool,
    build: impl FnOnce() -> Result<PathBuf>,
) -> Result<()> {
    let listener = take_port(port)?;
    let dir = build()?;
    let router = router(&dir)?;
    if until_stdin_ends {
        std::thread::spawn(|| {
            let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
            std::process::exit(0);
        });
    }
    println!(
        "Assay is at http://{}/ (Ctrl-C stops it)",
        listener.local_addr()?
    );
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(serve(listener, router))
}

async fn serve(listener: TcpListener, router: Router) -> Result<()> {
    listener.set_nonblocking(true)?;
    axum::serve(tokio::net::TcpListener::from_std(listener)?, router).await?;
    Ok(())
}

/// Only this machine can reach 127.0.0.1.
fn take_port(port: u16) -> Result<TcpListener> {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            let next = port.checked_add(1).unwrap_or(8080);
            bail!(
                "Port {port} is taken by another program: choose another, as in `cargo xtask serve --port {next}`."
            )
        }
        other => other.with_context(|| format!("cannot listen on port {port}")),
    }
}

fn router(dir: &Path) -> Result<Router> {
    let headers = headers_for(dir)?;
    let files = ServeDir::new(dir).precompressed_br().precompressed_gzip();
    Ok(Router::new()
        .fallback_service(files)
        .layer(map_response(move |mut response: Response| {
            response.headers_mut().extend(headers.clone());
            std::future::ready(response)
        })))
}

fn headers_for(dir: &Path) -> Result<HeaderMap> {
    let index = std::fs::read_to_string(dir.join("index.html")).with_context(|| {
        format!(
            "There is no page in {}: build it first with `cargo xtask build`",
            dir.display()
        )
    })?;
    let policy =
        policy::header_for(&index).context("index.html carries no policy: build the page anew")?;
    let mut headers: HeaderMap = HEADERS
        .into_iter()
        .map(|(name, value)| (name, HeaderValue::from_static(value)))
        .collect();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::try_from(policy)?);
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::{SocketAddr, TcpListener, TcpStream};
    use std::path::{Path, PathBuf};

    use tempfile::TempDir;

    use super::{router, serve, take_port};
    use crate::page::{MODULE, Page};
    use crate::{folder, policy};

    /// The fixture page on a server that ends with the tests.
    struct Served {
        address: SocketAddr,
        /// Holds the page, and beside it a secret.
        folder: TempDir,
    }

    impl Served {
        fn page(&self) -> PathBuf {
            self.folder.path().join("page")
        }
    }

    fn start() -> Served {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
        let mut page = Page::assemble(
            &fixtures.join("www"),
            &fixtures.join("module"),
            &fixtures.join("packages"),
            "1.2.3",
        )
        .expect("the fixtures make a page");
        // Large enough to be worth compressing.
        page.files
            .insert(MODULE.to_owned(), b"\0asm\x01\0\0\0".repeat(1000));
        let folder = tempfile::tempdir().expect("the system has a temporary folder");
        folder::write(&folder.path().join("page"), &page).expect("writable");
        std::fs::write(folder.path().join("secret.txt"), "secret").expect("writable");

        let listener = take_port(0).expect("a free port");
        let address = listener.local_addr().expect("it listens");
        let router = router(&folder.path().join("page")).expect("the page has a policy");
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime
                .block_on(serve(listener, router))
                .expect("it serves");
        });
        Served { address, folder }
    }

    /// Status, headers (lower case) and body of an answer to a request written out by hand, so that nothing tidies
    /// the path on the way.
    fn request(served: &Served, path: &str, headers: &str) -> (u16, String, Vec<u8>) {
        let address = served.address;
        let mut stream = TcpStream::connect(address).expect("the server listens");
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{headers}\r\n"
        )
        .expect("sent");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("received");
        let end = answer
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .expect("the headers end");
        let head = String::from_utf8_lossy(&answer[..end]).to_lowercase();
        let status = head
            .split(' ')
            .nth(1)
            .and_then(|code| code.parse().ok())
            .expect("a status");
        (status, head, answer[end + 4..].to_vec())
    }

    #[test]
    fn every_answer_isolates_the_page_and_states_its_policy() {
        let served = start();
        let index = std::fs::read_to_string(served.page().join("index.html")).expect("readable");
        let policy = policy::header_for(&index)
            .expect("the page carries a policy")
            .to_lowercase();
        for path in ["/", "/main.js", "/pkg/assay_bg.wasm", "/nowhere"] {
            let (_, head, _) = request(&served, path, "");
            for expected in [
                "cross-origin-opener-policy: same-origin",
                "cross-origin-embedder-policy: require-corp",
                "cross-origin-resource-policy: same-origin",
                "x-content-type-options: nosniff",
                "referrer-policy: no-referrer",
                "cache-control: no-cache",
                &format!("content-security-policy: {policy}"),
            ] {
                assert!(
                    head.contains(&format!("\r\n{expected}")),
                    "{path} lacks {expected}:\n{head}"
                );
            }
        }
        assert!(policy.contains("frame-ancestors 'none'") && policy.contains("'sha256-"));
    }

    #[test]
    fn every_file_has_its_type() {
        let served = start();
        for (path, expected) in [
            ("/", "text/html"),
            ("/main.js", "text/javascript"),
            ("/style.css", "text/css"),
            ("/pkg/assay_bg.wasm", "application/wasm"),
            ("/vendor/outer/index.js", "text/javascript"),
        ] {
            let (status, head, _) = request(&served, path, "");
            assert_eq!(status, 200, "{path}");
            assert!(
                head.contains(&format!("\r\ncontent-type: {expected}")),
                "{path}:\n{head}"
            );
        }
    }

    #[test]
    fn sends_the_smallest_form_that_the_browser_reads() {
        let served = start();
        let path = "/pkg/assay_bg.wasm";
        let (_, head, plain) = request(&served, path, "");
        assert!(!head.contains("content-encoding") && plain.len() == 8000);
        for (accepted, encoding) in [("gzip", "gzip"), ("gzip, deflate, br", "br")] {
            let (status, head, body) =
                request(&served, path, &format!("Accept-Encoding: {accepted}\r\n"));
            assert_eq!(status, 200);
            assert!(
                head.contains(&format!("\r\ncontent-encoding: {encoding}")),
                "{head}"
            );
            assert!(
                head.contains("\r\ncontent-type: application/wasm"),
                "{head}"
            );
            assert!(
                body.len() < plain.len() / 10,
                "{encoding}: {} bytes",
                body.len()
            );
        }
    }

    #[test]
    fn an_unchanged_file_is_not_sent_again() {
        let served = start();
        let (_, head, _) = request(&served, "/main.js", "");
        let etag = head
            .lines()
            .find_map(|line| line.strip_prefix("etag: "))
            .expect("an ETag")
            .to_owned();
        assert_eq!(
            request(&served, "/main.js", &format!("If-None-Match: {etag}\r\n")).0,
            304
        );
        assert_eq!(
            request(&served, "/main.js", "If-None-Match: \"0-0\"\r\n").0,
            200
        );
    }

    #[test]
    fn serves_nothing_outside_the_page() {
        let served = start();
        for path in [
            "/../secret.txt",
            "/%2e%2e/secret.txt",
            "/..%2fsecret.txt",
            "/pkg/../../secret.txt",
            "//secret.txt",
        ] {
            let (status, _, body) = request(&served, path, "");
            assert!((400..500).contains(&status), "{path}: {status}");
            assert!(!String::from_utf8_lossy(&body).contains("secret"), "{path}");
        }
        assert_eq!(request(&served, "/nowhere.js", "").0, 404);
    }

    #[test]
    fn says_what_to_do_when_the_port_is_taken() {
        let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = taken.local_addr().expect("it listens").port();
        let message = take_port(port).expect_err("the port is taken").to_string();
        assert!(
            message.contains(&format!("Port {port} is taken")) && message.contains("--port"),
            "{message}"
        );
    }

    #[test]
    fn says_what_to_do_when_there_is_no_page() {
        let error = router(Path::new("/nowhere"))
            .expect_err("there is no such folder")
            .to_string();
        assert!(error.contains("cargo xtask build"), "{error}");
    }
}
