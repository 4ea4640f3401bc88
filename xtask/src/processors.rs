//! The table of cases on processors that this machine is not, and under instructions that its own build leaves unused: the
//! digests are one set everywhere. It knows nothing about what a case does.
//!
//! Debian's `qemu-user` runs programs for AArch64, and programs for x86-64 as if the processor had no AVX. Only the table
//! and the kernels' tests are built, and dependencies without optimization: that takes a third of the time, and no level of
//! optimization changes a bit.

use std::env::consts::{ARCH, OS};
use std::process::Command;

use anyhow::{Result, bail};

use crate::project::Project;
use crate::report::Outcome;
use crate::setup;

const AARCH64: &str = "aarch64-unknown-linux-musl";
const X86_64: &str = "x86_64-unknown-linux-gnu";

/// The newest level whose every instruction this project's machines are expected to have: AVX2 and FMA among them.
const LEVEL: &str = "x86-64-v3";

/// Levels for `--config`. The kernels keep theirs, so that what the page runs is what is tested; gemm's 16-bit assembly needs
/// its functions inlined.
const LEVELS: [&str; 5] = [
    "profile.dev.opt-level=0",
    "profile.dev.package.assay.opt-level=1",
    "profile.dev.package.assay-kernels.opt-level=3",
    "profile.dev.package.gemm-common.opt-level=1",
    "profile.dev.package.gemm-f16.opt-level=1",
];

/// Leaves out the tests of how near a result is to the truth, by the words in their names: that follows from its bits, and
/// the millions of numbers that it takes to say so are minutes under an emulator.
const ABOUT_BITS: [&str; 4] = [
    "--",
    "--skip=within",
    "--skip=central_differences",
    "--skip=broken",
];

/// Emulators, and the compiler's target for AArch64.
pub(crate) fn set_up(project: &Project) -> Result<()> {
    setup::emulator(project, "x86_64")?;
    setup::emulator(project, "aarch64")?;
    setup::target(project, AARCH64)
}

/// The table and the kernels' tests as AArch64 programs.
pub(crate) fn aarch64(project: &Project) -> Outcome {
    Outcome::of("aarch64", |outcome| {
        if ARCH == "aarch64" {
            outcome.not_run("", "this machine is one: see native");
            return Ok(());
        }
        let ready = setup::emulator(project, "aarch64")
            .and_then(|emulator| setup::target(project, AARCH64).map(|()| emulator));
        match ready {
            Ok(emulator) => {
                // The compiler's own linker and musl's start files: no C compiler for AArch64 is needed.
                for mut cargo in compiled_for(project, AARCH64) {
                    cargo
                        .env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_LINKER", "rust-lld")
                        .env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_RUNNER", &emulator);
                    outcome.count(&mut cargo)?;
                }
            }
            Err(reason) => outcome.not_run("", &format!("{reason:#}")),
        }
        Ok(())
    })
}

/// The table as it was built for the native suite but without AVX, then compiled for a processor that has AVX2 and FMA.
pub(crate) fn x86_64(project: &Project) -> Outcome {
    Outcome::of("x86-64", |outcome| {
        if (ARCH, OS) != ("x86_64", "linux") {
            outcome.not_run("", "this machine is not Linux on x86-64");
            return Ok(());
        }
        match setup::emulator(project, "x86_64") {
            Ok(emulator) => {
                let runner = format!("{emulator} -cpu qemu64");
                outcome.count(
                    project
                        .cargo("test")
                        .args(["--workspace", "--exclude=xtask", "--test=native"])
                        .args(ABOUT_BITS)
                        .env("CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER", runner),
                )?;
            }
            Err(reason) => outcome.not_run("SSE2 alone", &format!("{reason:#}")),
        }
        match has_level() {
            Ok(()) => {
                for mut cargo in compiled_for(project, X86_64) {
                    let flags = format!("-Ctarget-cpu={LEVEL}");
                    cargo.env("CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS", flags);
                    outcome.count(&mut cargo)?;
                }
            }
            Err(reason) => outcome.not_run(LEVEL, &format!("{reason:#}")),
        }
        Ok(())
    })
}

/// cargo for the kernels' tests and for the table. A named target keeps the flags from macros and build scripts, which the
/// native suite has built already.
fn compiled_for(project: &Project, target: &str) -> [Command; 2] {
    const KERNELS: [&str; 2] = ["--package=assay-kernels", "--tests"];
    const TABLE: [&str; 2] = ["--package=assay", "--test=native"];
    [KERNELS, TABLE].map(|selection| {
        let mut cargo = project.cargo("test");
        cargo.args(selection).arg(format!("--target={target}"));
        for level in LEVELS {
            cargo.args(["--config", level]);
        }
        cargo.args(ABOUT_BITS);
        cargo
    })
}

#[cfg(target_arch = "x86_64")]
fn has_level() -> Result<()> {
    use std::arch::is_x86_feature_detected as has;
    if has!("avx2") && has!("fma") && has!("bmi2") && has!("lzcnt") && has!("movbe") {
        Ok(())
    } else {
        bail!("this processor lacks AVX2 or FMA")
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn has_level() -> Result<()> {
    bail!("this processor is no x86-64")
}
