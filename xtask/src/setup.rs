//! Installs what the other commands need, and says in one line what it did; silent when there is nothing to do.

use std::env::consts::OS;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::processors;
use crate::project::{Project, run};

const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// A browser that the tests drive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Browser {
    Chromium,
    Firefox,
}

impl Browser {
    pub(crate) const ALL: [Self; 2] = [Self::Chromium, Self::Firefox];

    /// The name that the tests' harness knows it by.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Chromium => "chromium",
            Self::Firefox => "firefox",
        }
    }

    /// The environment variable that tells the harness which program to start.
    pub(crate) fn variable(self) -> &'static str {
        match self {
            Self::Chromium => "ASSAY_CHROMIUM",
            Self::Firefox => "ASSAY_FIREFOX",
        }
    }

    fn debian_package(self) -> &'static str {
        match self {
            Self::Chromium => "chromium",
            Self::Firefox => "firefox-esr",
        }
    }

    fn programs(self) -> &'static [&'static str] {
        match self {
            Self::Chromium => &[
                "chromium",
                "chromium-browser",
                "google-chrome",
                "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
            ],
            Self::Firefox => &[
                "firefox-esr",
                "firefox",
                "/Applications/Firefox.app/Contents/MacOS/firefox",
            ],
        }
    }

    /// The program to start, if one is installed; the environment variable goes first.
    pub(crate) fn program(self) -> Option<PathBuf> {
        match std::env::var_os(self.variable()) {
            Some(chosen) => Some(chosen.into()),
            None => self.programs().iter().find_map(|program| on_path(program)),
        }
    }
}

/// What `cargo xtask setup` does: everything. What is there for other processors is no must: a suite that cannot run without
/// it says so itself.
pub(crate) fn everything(project: &Project) -> Result<()> {
    to_build(project)?;
    browsers(project)?;
    graphics(project)?;
    if let Err(reason) = python(project) {
        println!("Exported files will not be read by Python: {reason:#}");
    }
    if let Err(reason) = processors::set_up(project) {
        println!("Tests for other processors will be left out: {reason:#}");
    }
    Ok(())
}

/// What a build of the page needs.
pub(crate) fn to_build(project: &Project) -> Result<()> {
    wasm_target(project)?;
    packages(project)
}

/// The compiler's wasm32 target.
pub(crate) fn wasm_target(project: &Project) -> Result<()> {
    target(project, WASM_TARGET)
}

/// One of the compiler's targets.
pub(crate) fn target(project: &Project, name: &str) -> Result<()> {
    let sysroot = stdout_of(project.command("rustc").args(["--print", "sysroot"]))?;
    if Path::new(&sysroot).join("lib/rustlib").join(name).is_dir() {
        return Ok(());
    }
    if on_path("rustup").is_none() {
        bail!(
            "The Rust compiler lacks the {name} target: install Rust with rustup, or the target's package."
        );
    }
    run(project.command("rustup").args(["target", "add", name]))?;
    println!("Installed the Rust target {name}.");
    Ok(())
}

/// The page's npm packages and those of its tests, exactly as the lock file names them.
pub(crate) fn packages(project: &Project) -> Result<()> {
    packages_in(project, Path::new(""))
}

/// The npm packages of a folder of the repository, exactly as the lock file there names them. No script of theirs runs.
pub(crate) fn packages_in(project: &Project, folder: &Path) -> Result<()> {
    let folder = project.root().join(folder);
    let modified =
        |name: &str| std::fs::metadata(folder.join(name)).and_then(|file| file.modified());
    let wanted = modified("package-lock.json").context("package-lock.json is missing")?;
    if modified("node_modules/.package-lock.json").is_ok_and(|installed| installed >= wanted) {
        return Ok(());
    }
    if on_path("node").is_none() || on_path("npm").is_none() {
        bail!("Node is missing: install Node 20 or newer together with npm.");
    }
    run(project.command("npm").current_dir(&folder).args([
        "ci",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--loglevel=error",
    ]))?;
    println!("Installed the npm packages.");
    Ok(())
}

/// Chromium and Firefox.
pub(crate) fn browsers(project: &Project) -> Result<()> {
    let missing: Vec<_> = Browser::ALL
        .into_iter()
        .filter(|browser| browser.program().is_none())
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<_> = missing
        .iter()
        .map(|browser| browser.debian_package())
        .collect();
    let names: Vec<_> = missing.iter().map(|browser| browser.name()).collect();
    install(project, &names.join(" and "), &packages)
}

/// The program that runs programs for another Linux processor.
pub(crate) fn emulator(project: &Project, processor: &str) -> Result<String> {
    let program = format!("qemu-{processor}");
    if on_path(&program).is_none() {
        if OS != "linux" {
            bail!("qemu-user runs on Linux only");
        }
        // What it recommends would make the system start foreign programs through it.
        install(project, &program, &["--no-install-recommends", "qemu-user"])?;
    }
    Ok(program)
}

/// Readers of exported files that others wrote, in an environment of their own under `target`.
const PYTHON_READERS: [&str; 3] = ["safetensors==0.4.5", "gguf==0.17.1", "numpy==1.26.4"];

/// Python's readers of safetensors and GGUF; where Python is missing, the suite says that they were not asked.
pub(crate) fn python(project: &Project) -> Result<()> {
    let folder = project.root().join("target/python");
    let marker = folder.join("readers");
    let wanted = PYTHON_READERS.join("\n");
    if std::fs::read_to_string(&marker).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    let has_venv = on_path("python3").is_some()
        && stdout_of(
            project
                .command("python3")
                .args(["-c", "import ensurepip; print(1)"]),
        )
        .is_ok_and(|found| found == "1");
    if !has_venv {
        install(
            project,
            "Python 3 with its venv",
            &["python3", "python3-venv"],
        )?;
    }
    let _ = std::fs::remove_dir_all(&folder);
    let made = run(project.command("python3").args(["-m", "venv"]).arg(&folder));
    let read = made.and_then(|()| {
        let pip = folder.join("bin/pip");
        let mut pip = project.command(pip);
        run(pip
            .args(["install", "--quiet", "--disable-pip-version-check"])
            .args(PYTHON_READERS))
    });
    if let Err(error) = read {
        // What is half installed would be taken for the readers.
        let _ = std::fs::remove_dir_all(&folder);
        return Err(error);
    }
    std::fs::write(&marker, wanted)?;
    println!("Installed Python's readers of exported files.");
    Ok(())
}

/// A Vulkan adapter, in software where there is no other.
pub(crate) fn graphics(project: &Project) -> Result<()> {
    let folders = ["/usr/share/vulkan/icd.d", "/etc/vulkan/icd.d"];
    let has_driver = folders
        .iter()
        .any(|folder| std::fs::read_dir(folder).is_ok_and(|mut files| files.next().is_some()));
    if has_driver || !Path::new("/etc/debian_version").exists() {
        return Ok(());
    }
    install(
        project,
        "a Vulkan adapter",
        &["mesa-vulkan-drivers", "libvulkan1"],
    )
}

/// Installs Debian packages, where this is Debian and we may; the error says what is missing and how to get it.
fn install(project: &Project, missing: &str, packages: &[&str]) -> Result<()> {
    let is_debian = Path::new("/etc/debian_version").exists() && on_path("apt-get").is_some();
    let is_root = stdout_of(project.command("id").arg("-u")).is_ok_and(|user| user == "0");
    let packages_in_words = packages.join(" ");
    if !(is_debian && is_root) {
        let hint = if is_debian {
            format!(" (apt-get install {packages_in_words}, as root)")
        } else {
            String::new()
        };
        bail!("The tests need {missing}: install it{hint} and run this again.");
    }
    let apt = || {
        let mut command = project.command("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive").arg("-qq");
        command
    };
    run(apt().arg("update"))?;
    run(apt().args(["install", "-y"]).args(packages))?;
    println!("Installed {missing}.");
    Ok(())
}

fn stdout_of(command: &mut Command) -> Result<String> {
    let output = command
        .output()
        .with_context(|| format!("{} did not start", command.get_program().display()))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Where `program` is: itself when it is an absolute path, else the first match in `PATH`.
fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|candidate| candidate.is_file())
}
