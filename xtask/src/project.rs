//! Where things are in the repository, and how other programs are started from it.

use std::cell::OnceCell;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::{bindgen, folder, page::Page, setup};

/// The checked-out repository and its build folder.
pub(crate) struct Project {
    root: PathBuf,
    target: PathBuf,
    version: String,
    page_is_built: OnceCell<()>,
    variables: Vec<(&'static str, &'static str)>,
}

impl Project {
    /// Asks cargo where the workspace and its build folder are.
    pub(crate) fn locate() -> Result<Self> {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        let output = Command::new(cargo())
            .args([
                "metadata",
                "--no-deps",
                "--locked",
                "--format-version=1",
                "--manifest-path",
            ])
            .arg(manifest)
            .output()
            .context("cargo did not start")?;
        if !output.status.success() {
            bail!(
                "cargo metadata failed:\n{}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
        let metadata: Value = serde_json::from_slice(&output.stdout)?;
        let text = |value: &Value| {
            value
                .as_str()
                .map(str::to_owned)
                .context("cargo metadata lacks an entry")
        };
        let packages = metadata["packages"]
            .as_array()
            .context("cargo metadata lists no packages")?;
        let assay = packages
            .iter()
            .find(|package| package["name"] == "assay")
            .context("no package named assay")?;
        Ok(Self {
            root: text(&metadata["workspace_root"])?.into(),
            target: text(&metadata["target_directory"])?.into(),
            version: text(&assay["version"])?,
            page_is_built: OnceCell::new(),
            variables: Vec::new(),
        })
    }

    /// The same project, whose programs all get an environment variable.
    pub(crate) fn with_variable(mut self, name: &'static str, value: &'static str) -> Self {
        self.variables.push((name, value));
        self
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// cargo's build folder, `target` unless it is configured otherwise.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// Where the built page lies. `target/page` is cargo's own, for the profile of that name.
    pub(crate) fn page_dir(&self) -> PathBuf {
        self.target.join("www")
    }

    /// Builds the page, at most once however often it is asked for, and returns its folder.
    pub(crate) fn page(&self) -> Result<PathBuf> {
        let dir = self.page_dir();
        if self.page_is_built.get().is_none() {
            setup::to_build(self)?;
            let www = self.root.join("www");
            let module = bindgen::page_module(self)?;
            let page = Page::assemble(
                &www,
                &module,
                &self.root.join("node_modules"),
                &self.version,
            )?;
            folder::write(&dir, &page)?;
            let _ = self.page_is_built.set(());
        }
        Ok(dir)
    }

    /// A command that runs in the root of the repository.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(&self.root)
            .envs(self.variables.iter().copied());
        command
    }

    /// cargo with the committed lock file; `subcommand` first, its arguments after.
    pub(crate) fn cargo(&self, subcommand: &str) -> Command {
        let mut command = self.command(cargo());
        command.args([subcommand, "--locked"]);
        command
    }

    /// Node with `script`, a path from the root of the repository.
    pub(crate) fn node(&self, script: &str) -> Command {
        let mut command = self.command("node");
        command.arg(script);
        command
    }
}

fn cargo() -> std::ffi::OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// Runs a command to its end, showing its output; an error says what failed.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("{} did not start", name_of(command)))?;
    if status.success() {
        Ok(())
    } else {
        bail!("{} failed ({status})", name_of(command))
    }
}

/// The program and its first arguments, as one would type them.
pub(crate) fn name_of(command: &Command) -> String {
    let program = Path::new(command.get_program())
        .file_name()
        .unwrap_or_default()
        .to_string_lossy();
    let arguments = command.get_args().take(4).map(OsStr::to_string_lossy);
    std::iter::once(program)
        .chain(arguments)
        .collect::<Vec<_>>()
        .join(" ")
}

/// Every file under `dir`, as paths relative to it with forward slashes, sorted.
pub(crate) fn files_under(dir: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let mut waiting = vec![dir.to_path_buf()];
    while let Some(folder) = waiting.pop() {
        let entries = std::fs::read_dir(&folder)
            .with_context(|| format!("cannot read {}", folder.display()))?;
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                waiting.push(path);
            } else if let Ok(relative) = path.strip_prefix(dir) {
                let parts = relative.iter().map(OsStr::to_string_lossy);
                found.push(parts.collect::<Vec<_>>().join("/"));
            }
        }
    }
    found.sort();
    Ok(found)
}
