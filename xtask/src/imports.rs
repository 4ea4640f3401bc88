//! Finds what a JavaScript module imports. Not a parser: it reads statements that begin with `import`, `export` or
//! the `}` that closes a list of names, which is how hand-written and minified modules alike are written. Imports in
//! comments, where they are types, are not seen; neither are dynamic ones.

/// The specifiers that `source` imports or re-exports from, in order.
pub(crate) fn of(source: &str) -> Vec<&str> {
    source.split(['\n', ';']).filter_map(specifier).collect()
}

fn specifier(statement: &str) -> Option<&str> {
    let statement = statement.trim();
    let rest = if statement.starts_with("import")
        || statement.starts_with("export")
        || statement.starts_with('}')
    {
        match statement.rfind("from") {
            Some(at) => &statement[at + "from".len()..],
            None => statement.strip_prefix("import")?,
        }
    } else {
        return None;
    };
    let rest = rest.trim();
    let quote = rest
        .chars()
        .next()
        .filter(|first| matches!(first, '"' | '\''))?;
    let inner = rest.strip_prefix(quote)?.strip_suffix(quote)?;
    (!inner.is_empty() && !inner.contains(quote)).then_some(inner)
}

/// Whether `specifier` names a package rather than a file.
pub(crate) fn is_bare(specifier: &str) -> bool {
    !specifier.starts_with(['.', '/']) && !specifier.contains("://")
}

#[cfg(test)]
mod tests {
    use super::{is_bare, of};

    #[test]
    fn finds_imports_as_people_write_them() {
        let source = "import { LitElement, html } from 'lit';\nimport './views/run.js'\nexport { a } from \"./a.js\";\n\
                      import {\n  openDB,\n} from 'idb';\n";
        assert_eq!(of(source), ["lit", "./views/run.js", "./a.js", "idb"]);
    }

    #[test]
    fn finds_imports_as_minifiers_write_them() {
        let source = "import\"@lit/reactive-element\";import{t as e}from\"./x.js\";export*from\"lit-html\";let y=1;";
        assert_eq!(of(source), ["@lit/reactive-element", "./x.js", "lit-html"]);
    }

    #[test]
    fn takes_neither_types_in_comments_nor_text_for_imports() {
        let source = "/** @import { A } from 'types' */\n * @param {import('x').Y} y\n// import 'no'\n\
                      label = `copied from 'somewhere'`;\nimport.meta.url;\nexport const from = 'lit';\n";
        assert_eq!(of(source), Vec::<&str>::new());
    }

    #[test]
    fn tells_packages_from_files() {
        assert!(is_bare("lit") && is_bare("@lit/reactive-element"));
        assert!(!is_bare("./a.js") && !is_bare("../a.js") && !is_bare("/a.js"));
    }
}
