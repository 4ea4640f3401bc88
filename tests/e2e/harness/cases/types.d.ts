/** A table of cases, wherever it runs. */
interface Cases {
  /** The name of every case, in order. */
  names(): Promise<string[]>;
  /** Runs one case: "" if it passed, else what failed; "not run: REASON" where it cannot run. */
  run(index: number): Promise<string>;
}

/** What the page of cases offers its driver. */
interface CasesInPage extends Cases {
  /** The GPU's name where the table needs one, else ""; rejects with the reason where there is none. */
  adapter(): Promise<string>;
}

interface Window {
  cases: CasesInPage;
}

/** The module that `cargo xtask test` makes of `tests/cases/browser.rs` or `tests/gpu/browser.rs`. */
declare module "*/pkg/cases.js" {
  export default function init(options: { module_or_path: WebAssembly.Module }): Promise<unknown>;
  export const adapter: undefined | (() => Promise<string>);
  export function case_names(): string[];
  export function run_case(index: number): Promise<string>;
}
