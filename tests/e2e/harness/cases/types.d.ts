/** What the page of cases offers its driver. */
interface Cases {
  /** The name of every case, in order. */
  names(): Promise<string[]>;
  /** Runs one case: "" if it passed, else what failed; "not run: REASON" where it cannot run. */
  run(index: number): Promise<string>;
}

interface Window {
  cases: Cases;
}

/** The module that `cargo xtask test browser` makes of `tests/cases/browser.rs`. */
declare module "*/pkg/cases.js" {
  export default function init(options: { module_or_path: WebAssembly.Module }): Promise<unknown>;
  export function case_names(): string[];
  export function run_case(index: number): Promise<string>;
}
