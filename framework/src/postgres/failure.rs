//! What an error of Postgres means for a record. Called by handlers, by `once` and by `database`.

use tokio_postgres::Error;
use tokio_postgres::error::{DbError, SqlState};

use crate::failure::{Failure, cut, error_text};

/// What an error of a handler's own statement means for its records.
///
/// | SQLSTATE | what it is | the failure |
/// |---|---|---|
/// | class 22, 23 | a value that does not fit, a constraint | `Failure::reject`: the call is halved until the record that causes it stands alone, which goes to the destination |
/// | none, or class 08, 25, 28, 3D, 3F, 40, 42, 53, 55, 57, 58, F0, XX | no connection, a lock, a deadlock, a missing table or right, no memory | `Failure::retry(…).whole()`: no record is at fault, so nothing is halved |
/// | any other; 42501 of a row security policy | an index row that is too large, a check option, the `RAISE` of a trigger: one record may be at fault | `Failure::retry`: the call is halved, so that its neighbours are Done |
///
/// Its code is `postgres.rejected` or `postgres.failed`. Its text has the SQLSTATE and the server's message, but neither details, which show rows, nor the messages of class 22 and of what functions
/// raise by themselves (`RAISE`, whatever its SQLSTATE), which show values.
///
/// ```
/// use lambda_msk::Failure;
/// use lambda_msk::postgres::{self, tokio_postgres};
///
/// async fn insert(transaction: &tokio_postgres::Transaction<'_>) -> Result<(), Failure> {
///     transaction.batch_execute("INSERT INTO orders DEFAULT VALUES").await.map_err(postgres::failure)
/// }
/// ```
#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
pub fn failure(error: Error) -> Failure {
    let code = error.code().map(SqlState::code);
    let routine = error.as_db_error().and_then(DbError::routine);
    let text = format!("{}{}", text(&error), ignored(code));
    match fault(code, routine) {
        Fault::Values => Failure::reject(text).code("postgres.rejected"),
        Fault::Record => Failure::retry(text).code("postgres.failed"),
        Fault::Nobody => Failure::retry(text).code("postgres.failed").whole(),
    }
}

/// Who may be at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// A record's values.
    Values,
    /// A record, perhaps.
    Record,
    /// No record.
    Nobody,
}

fn fault(code: Option<&str>, routine: Option<&str>) -> Fault {
    let Some(code) = code else {
        return Fault::Nobody;
    };
    match code.get(..2).unwrap_or_default() {
        "22" | "23" => Fault::Values,
        // Of a row, and not of the role's rights.
        "42" if code == "42501" && routine == Some(ROW_SECURITY) => Fault::Record,
        "08" | "25" | "28" | "3D" | "3F" | "40" | "42" | "53" | "55" | "57" | "58" | "F0"
        | "XX" => Fault::Nobody,
        _ => Fault::Record,
    }
}

/// The server's function that holds a new row against the policies of its table.
const ROW_SECURITY: &str = "ExecWithCheckOptions";

/// The advice for a transaction that goes on after an error.
fn ignored(code: Option<&str>) -> &'static str {
    match code {
        Some("25P02") => {
            "; a statement of the handler failed and its error was ignored: return it, or put `SAVEPOINT` before what may fail and `ROLLBACK TO SAVEPOINT` behind its error"
        }
        _ => "",
    }
}

/// A statement of the framework's own has failed: no record is at fault, whatever the server says.
#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
pub(crate) fn refused(error: Error) -> Failure {
    let advice = match error.code().map(SqlState::code) {
        Some("42P01" | "3D000" | "3F000" | "42703" | "42P10") => {
            "; create the tables with the statements that `cargo msk postgres schema` prints"
        }
        Some("42501") => {
            "; the function's role needs SELECT, INSERT, UPDATE and DELETE on the tables lambda_msk_once, lambda_msk_once_notes and lambda_msk_once_keys"
        }
        Some("55P03") => "; another transaction holds the rows of these partitions",
        code => ignored(code),
    };
    let why = format!("{}{advice}", text(&error));
    Failure::retry(why).code("once.database").whole()
}

/// Without a row, and without a value of one.
fn text(error: &Error) -> String {
    match error.as_db_error() {
        Some(answer) => cut(answered(answer)),
        None => error_text(error),
    }
}

fn answered(answer: &DbError) -> String {
    let code = answer.code().code();
    let is_own = answer.routine().is_some_and(is_of_a_language);
    let mut text = match code.get(..2) {
        Some("22" | "P0") => format!("SQLSTATE {code}"),
        _ if is_own => format!("SQLSTATE {code}"),
        _ => format!("SQLSTATE {code}: {}", answer.message()),
    };
    for (what, name) in [
        ("table", answer.table()),
        ("column", answer.column()),
        ("constraint", answer.constraint()),
    ] {
        if let Some(name) = name {
            text.push_str(&format!(", {what} {name}"));
        }
    }
    text
}

/// The server's functions that raise what a function in PL/pgSQL, Python, Perl or Tcl has put together, under any SQLSTATE.
fn is_of_a_language(routine: &str) -> bool {
    let begins = [
        "exec_stmt_raise",
        "PLy_",
        "plperl",
        "throw_tcl_error",
        "pltcl",
    ];
    begins.iter().any(|begin| routine.starts_with(begin))
}

#[cfg(test)]
mod tests {
    use super::{Fault, fault};

    #[test]
    fn only_what_no_record_can_cause_is_nobodys_fault() {
        for (code, routine, expected) in [
            (None, None, Fault::Nobody),
            (Some("22001"), None, Fault::Values),
            (Some("23514"), Some("exec_stmt_raise"), Fault::Values),
            (Some("08006"), None, Fault::Nobody),
            (Some("25P02"), None, Fault::Nobody),
            (Some("28P01"), None, Fault::Nobody),
            (Some("40P01"), None, Fault::Nobody),
            (Some("42P01"), None, Fault::Nobody),
            (Some("42501"), Some("aclcheck_error"), Fault::Nobody),
            (Some("42501"), Some("ExecWithCheckOptions"), Fault::Record),
            (Some("44000"), Some("ExecWithCheckOptions"), Fault::Record),
            (Some("53300"), None, Fault::Nobody),
            (Some("54000"), None, Fault::Record),
            (Some("55P03"), None, Fault::Nobody),
            (Some("57014"), None, Fault::Nobody),
            (Some("P0001"), Some("exec_stmt_raise"), Fault::Record),
            (Some("XX000"), None, Fault::Nobody),
            (Some("ZZ123"), None, Fault::Record),
        ] {
            assert_eq!(fault(code, routine), expected, "{code:?} {routine:?}");
        }
    }
}
