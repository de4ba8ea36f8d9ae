//! The identity of a function, as it sees it.

/// The account in the ARN of every function here: AWS's own for examples.
pub(super) const ACCOUNT: &str = "123456789012";

/// The name, region and ARN that a function is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    name: String,
    region: String,
}

impl Identity {
    /// A function of this name in this region. Characters which an ARN cannot hold become `-`.
    pub fn new(name: &str, region: &str) -> Self {
        let clean = |text: &str| -> String {
            text.chars()
                .map(|c| {
                    if c.is_ascii_alphanumeric() || "-_".contains(c) {
                        c
                    } else {
                        '-'
                    }
                })
                .collect()
        };
        Self {
            name: clean(name),
            region: clean(region),
        }
    }

    /// The function's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The region that the function is told.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Its ARN, in the account that AWS uses in examples.
    pub fn arn(&self) -> String {
        format!(
            "arn:aws:lambda:{}:{ACCOUNT}:function:{}",
            self.region, self.name
        )
    }
}
