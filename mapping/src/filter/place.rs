//! Where in a filter its parser is, and what it found wrong there.

use super::error::FilterFault;

/// A path that grows and shrinks with the walk through a pattern. Faults are noted at its end.
#[derive(Debug)]
pub(super) struct Place {
    path: String,
    /// The length of the part before the pattern's own path.
    root: usize,
    faults: Vec<FilterFault>,
    remarks: Vec<FilterFault>,
}

impl Place {
    /// The beginning of the pattern with this index.
    pub(super) fn of_pattern(index: usize) -> Self {
        let path = format!("Filters[{index}].Pattern");
        Self {
            root: path.len(),
            path,
            faults: Vec::new(),
            remarks: Vec::new(),
        }
    }

    /// Goes into a field while `inside` runs.
    pub(super) fn field<T>(&mut self, name: &str, inside: impl FnOnce(&mut Self) -> T) -> T {
        let is_first = self.path.len() == self.root;
        let separator = if is_first { ": " } else { "." };
        self.into(&format!("{separator}{name}"), inside)
    }

    /// Goes into an element of an array while `inside` runs.
    pub(super) fn element<T>(&mut self, index: usize, inside: impl FnOnce(&mut Self) -> T) -> T {
        self.into(&format!("[{index}]"), inside)
    }

    fn into<T>(&mut self, step: &str, inside: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.path.len();
        self.path.push_str(step);
        let result = inside(self);
        self.path.truncate(length);
        result
    }

    /// Notes a fault here.
    pub(super) fn fault(&mut self, reason: impl Into<String>) {
        self.faults.push(FilterFault::new(&*self.path, reason));
    }

    /// Notes here what is no fault, and may be one on Lambda.
    pub(super) fn remark(&mut self, reason: impl Into<String>) {
        self.remarks.push(FilterFault::new(&*self.path, reason));
    }

    /// The faults and the remarks.
    pub(super) fn into_noted(self) -> (Vec<FilterFault>, Vec<FilterFault>) {
        (self.faults, self.remarks)
    }
}
