//! Which paths are looked at: patterns of `--include` and `--exclude` kind.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use crate::Error;

/// Patterns that choose paths. One without `/` is about the name of a file or folder, at any depth; one with `/` is about
/// the whole path below the source. `*` does not cross a `/`, `**` does.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    include: Option<GlobSet>,
    exclude: Option<GlobSet>,
}

impl Filter {
    /// Paths that match one of `include` (all, where there is none) and none of `exclude`.
    ///
    /// # Errors
    /// [`Error::Pattern`] when one is none.
    pub fn new(include: &[String], exclude: &[String]) -> Result<Self, Error> {
        Ok(Self { include: set(include)?, exclude: set(exclude)? })
    }

    /// Whether a folder is left out with all that is in it.
    pub(crate) fn excludes(&self, path: &str) -> bool {
        self.exclude.as_ref().is_some_and(|set| set.is_match(path))
    }

    /// Whether a file is wanted.
    pub(crate) fn wants(&self, path: &str) -> bool {
        !self.excludes(path) && self.include.as_ref().is_none_or(|set| set.is_match(path))
    }

    /// Whether a file is wanted because a pattern says so.
    pub(crate) fn names(&self, path: &str) -> bool {
        self.include.as_ref().is_some_and(|set| set.is_match(path))
    }
}

fn set(patterns: &[String]) -> Result<Option<GlobSet>, Error> {
    if patterns.is_empty() {
        return Ok(None);
    }
    let mut builder = GlobSetBuilder::new();
    for pattern in patterns {
        let wrong = |source| Error::Pattern { pattern: pattern.clone(), source };
        let path = pattern.trim_start_matches("./").trim_end_matches('/');
        let anywhere =
            if path.contains('/') { path.trim_start_matches('/').to_owned() } else { format!("**/{path}") };
        builder.add(GlobBuilder::new(&anywhere).literal_separator(true).build().map_err(wrong)?);
    }
    builder.build().map(Some).map_err(|source| Error::Pattern { pattern: patterns.join(", "), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(include: &[&str], exclude: &[&str]) -> Filter {
        let owned = |patterns: &[&str]| patterns.iter().map(|p| (*p).to_owned()).collect::<Vec<_>>();
        Filter::new(&owned(include), &owned(exclude)).unwrap()
    }

    #[test]
    fn names_match_at_any_depth_and_paths_from_the_top() {
        let names = filter(&["*.ome.tif"], &["tmp"]);
        assert!(names.wants("a.ome.tif") && names.wants("b/c/a.ome.tif"));
        assert!(!names.wants("b/a.tif") && names.excludes("x/tmp") && !names.excludes("x/tmp2"));
        let paths = filter(&["2015/*/img*"], &["2015/lab-1/**"]);
        assert!(paths.wants("2015/lab-0/img_1.tif") && !paths.wants("x/2015/lab-0/img_1.tif"));
        assert!(!paths.wants("2015/lab-0/day1/img_1.tif") && !paths.wants("2015/lab-1/img"));
        assert!(Filter::default().wants("anything") && !Filter::default().names("anything"));
        assert!(Filter::new(&["a[".into()], &[]).is_err());
    }
}
