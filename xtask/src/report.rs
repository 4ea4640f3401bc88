//! What the suites found, as counts: read from their output, shown as a summary whose last line is the verdict.

use std::io::{BufRead as _, BufReader, Read};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, Sender};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::project::name_of;

/// What one suite found.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) suite: String,
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    /// What did not run, each with its reason.
    pub(crate) not_run: Vec<String>,
    /// Why the suite could not run to its end. Counts as a failure.
    pub(crate) problem: Option<String>,
    pub(crate) took: Duration,
}

impl Outcome {
    /// Runs `work` as the suite `name`; its error becomes the suite's problem.
    pub(crate) fn of(name: &str, work: impl FnOnce(&mut Self) -> Result<()>) -> Self {
        let mut outcome = Self {
            suite: name.to_owned(),
            ..Self::default()
        };
        let start = Instant::now();
        println!("\n── {name}");
        if let Err(error) = work(&mut outcome) {
            outcome.fail(format!("{error:#}"));
        }
        outcome.took = start.elapsed();
        outcome
    }

    /// Runs a program that prints test results, and counts them.
    pub(crate) fn count(&mut self, command: &mut Command) -> Result<()> {
        let before = self.passed + self.failed;
        let failed_before = self.failed;
        let not_run_before = self.not_run.len();
        let name = name_of(command);
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("{name} did not start"))?;
        let (sender, lines) = mpsc::channel();
        let readers = [
            child
                .stdout
                .take()
                .map(|stream| forward(stream, sender.clone())),
            child.stderr.take().map(|stream| forward(stream, sender)),
        ];
        for line in lines {
            if !self.read(&line) {
                println!("{line}");
            }
        }
        for reader in readers.into_iter().flatten() {
            let _ = reader.join();
        }
        let status = child.wait()?;
        if !status.success() && self.failed == failed_before {
            self.fail(format!("{name} ended early ({status})"));
        } else if status.success()
            && self.passed + self.failed == before
            && self.not_run.len() == not_run_before
        {
            self.fail(format!("{name} ran no test"));
        }
        Ok(())
    }

    fn fail(&mut self, problem: String) {
        println!("{problem}");
        self.failed += 1;
        self.problem = Some(problem);
    }

    /// Takes in one line of a program's output; `true` if it says nothing that a reader would miss.
    fn read(&mut self, line: &str) -> bool {
        let words: Vec<_> = line.split_whitespace().collect();
        match words.as_slice() {
            // libtest and those who imitate it.
            [
                "test",
                "result:",
                _,
                passed,
                "passed;",
                failed,
                "failed;",
                ..,
            ] => {
                self.passed += number(passed);
                self.failed += number(failed);
            }
            ["test", .., "...", "ok"] => return true,
            ["test", name, "...", "ignored", reason @ ..] => {
                self.not_run(name, &reason.join(" "));
            }
            ["test", name, "...", "ignored,", reason @ ..] => {
                self.not_run(name, &reason.join(" "));
            }
            // Node's `spec` reporter.
            ["ℹ", "pass", count] => self.passed += number(count),
            ["ℹ", "fail" | "cancelled", count] => self.failed += number(count),
            ["ℹ", ..] | ["✔", ..] => return true,
            ["﹣", ..] => {
                // `﹣ name (0.1ms) # reason`
                let (name, reason) = line.split_once(" # ").unwrap_or((line, ""));
                let name = name.trim_start_matches(['﹣', ' ']);
                self.not_run(
                    name.rsplit_once(" (").map_or(name, |(name, _)| name),
                    reason,
                );
            }
            // The driver of the cases in the browser.
            [passed, "passed,", failed, "failed"] => {
                self.passed += number(passed);
                self.failed += number(failed);
            }
            // Said by a test that finds out while it runs.
            ["not", "run:", reason @ ..] => self.not_run("", &reason.join(" ")),
            ["running", _, "test" | "tests"] | [] => return true,
            _ => return false,
        }
        true
    }

    /// Notes that `name`, or the whole suite where that is empty, was not run.
    pub(crate) fn not_run(&mut self, name: &str, reason: &str) {
        let parts: Vec<_> = [name, reason]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect();
        let entry = parts.join(": ");
        if !self.not_run.contains(&entry) {
            self.not_run.push(entry);
        }
    }
}

fn number(text: &str) -> usize {
    text.parse().unwrap_or(0)
}

/// Sends each line of a stream on, from a thread of its own.
fn forward(
    stream: impl Read + Send + 'static,
    lines: Sender<String>,
) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line);
            if lines.send(line.trim_end().to_owned()).is_err() {
                break;
            }
        }
    })
}

/// Prints the summary; `true` if everything passed.
pub(crate) fn finish(outcomes: &[Outcome]) -> bool {
    print!("\n{}", summary(outcomes));
    outcomes.iter().all(|outcome| outcome.failed == 0)
}

fn summary(outcomes: &[Outcome]) -> String {
    let mut text = String::new();
    for Outcome {
        suite,
        passed,
        failed,
        took,
        ..
    } in outcomes
    {
        text += &format!(
            "{suite:<18} {passed:>6} passed {failed:>4} failed {:>6.0} s\n",
            took.as_secs_f64()
        );
    }
    for Outcome { suite, problem, .. } in outcomes {
        if let Some(problem) = problem {
            text += &format!("{suite} could not run to its end: {problem}\n");
        }
    }
    let not_run: Vec<_> = outcomes
        .iter()
        .flat_map(|outcome| {
            outcome
                .not_run
                .iter()
                .map(move |reason| format!("  {}: {reason}\n", outcome.suite))
        })
        .collect();
    if !not_run.is_empty() {
        text += &format!("Not run:\n{}", not_run.concat());
    }
    let sum = |count: fn(&Outcome) -> usize| outcomes.iter().map(count).sum::<usize>();
    text += &format!(
        "{} passed, {} failed",
        sum(|outcome| outcome.passed),
        sum(|outcome| outcome.failed)
    );
    if !not_run.is_empty() {
        text += &format!(", {} skipped", not_run.len());
    }
    text + "\n"
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::{Outcome, summary};

    fn read(lines: &[&str]) -> Outcome {
        let mut outcome = Outcome {
            suite: "suite".to_owned(),
            ..Outcome::default()
        };
        for line in lines {
            outcome.read(line);
        }
        outcome
    }

    fn shell(script: &str) -> Outcome {
        Outcome::of("suite", |outcome| {
            outcome.count(Command::new("sh").args(["-c", script]))
        })
    }

    #[test]
    fn sums_the_results_of_several_test_programs() {
        let outcome = read(&[
            "running 2 tests",
            "test rng::tests::repeats ... ok",
            "test slow ... ignored, needs a GPU",
            "test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s",
            "test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s",
        ]);
        assert_eq!((outcome.passed, outcome.failed), (7, 1));
        assert_eq!(outcome.not_run, ["slow: needs a GPU"]);
    }

    #[test]
    fn reads_the_results_of_node() {
        let outcome = read(&[
            "✔ opens (3.1ms)",
            "﹣ draws on the GPU (0.2ms) # no adapter was found",
            "ℹ tests 4",
            "ℹ pass 2",
            "ℹ fail 1",
            "ℹ cancelled 1",
            "ℹ skipped 1",
        ]);
        assert_eq!((outcome.passed, outcome.failed), (2, 2));
        assert_eq!(outcome.not_run, ["draws on the GPU: no adapter was found"]);
    }

    #[test]
    fn the_last_line_counts_everything() {
        let mut first = read(&["3 passed, 0 failed", "not run: webgpu: no adapter"]);
        first.suite = "browser".to_owned();
        let text = summary(&[first, read(&["2 passed, 1 failed"])]);
        assert_eq!(text.lines().last(), Some("5 passed, 1 failed, 1 skipped"));
        assert!(text.contains("  browser: webgpu: no adapter\n"), "{text}");
        assert_eq!(
            summary(&[read(&["1 passed, 0 failed"])]).lines().last(),
            Some("1 passed, 0 failed")
        );
    }

    #[test]
    fn a_suite_that_breaks_off_or_runs_nothing_is_a_failure() {
        let broken = shell("echo 'test result: ok. 5 passed; 0 failed; 0 ignored'; exit 3");
        assert_eq!((broken.passed, broken.failed), (5, 1));
        let empty = shell("echo 'nothing here'");
        assert_eq!((empty.passed, empty.failed), (0, 1));
        let told = shell("echo 'not run: the GPU cases: no adapter'");
        assert_eq!((told.passed, told.failed, told.not_run.len()), (0, 0, 1));
        let fine = shell("echo '1 passed, 0 failed'");
        assert_eq!((fine.passed, fine.failed), (1, 0));
    }
}
