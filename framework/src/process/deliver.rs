//! Letters of rejected records to the destination: one call for neighbours, and for each whether its record is settled.

use std::collections::{BTreeMap, BTreeSet};

use tokio::time::timeout_at;

use crate::caught::{Caught, discard};
use crate::destination::{DeadLetter, Destination, SendError};
use crate::failure::{Rejection, told};
use crate::idempotency::Settled;
use crate::outcome::Outcome;
use crate::process::batch::BatchRun;
use crate::process::end::End;
use crate::record::Record;
use crate::report::Problem;

impl BatchRun<'_> {
    /// Sends the letter of one record.
    pub(super) async fn reject(&self, record: &Record, rejection: Rejection, attempts: u32) -> End {
        let letter = self.letter(record, rejection, attempts);
        let ends = self.deliver(std::slice::from_ref(&letter)).await;
        // `deliver` answers with one end for each letter.
        ends.into_iter().next().unwrap_or_else(End::unreached)
    }

    pub(super) fn letter(
        &self,
        record: &Record,
        rejection: Rejection,
        attempts: u32,
    ) -> DeadLetter {
        let Rejection { code, message, .. } = rejection;
        DeadLetter::new(record.clone(), code, message, attempts, self.invocation)
    }

    /// Sends the letters, and says of each how its record ended: Rejected once confirmed, else Failed.
    pub(super) async fn deliver(&self, letters: &[DeadLetter]) -> Vec<End> {
        // All are of one lane, so of one partition.
        if let Some(letter) = letters.first()
            && let Err(problem) = self.may_start(letter.record()).await
        {
            let end = |letter: &DeadLetter| {
                End::of(Outcome::Failed, letter.attempts(), Some(problem.clone()))
            };
            return letters.iter().map(end).collect();
        }
        self.deliver_held(letters).await
    }

    /// The partitions of the letters are held.
    async fn deliver_held(&self, letters: &[DeadLetter]) -> Vec<End> {
        let results = self.send(letters).await;
        self.turns.look();
        let end = |(letter, result): (&DeadLetter, Result<(), Problem>)| {
            let (outcome, problem) = match result {
                Ok(()) => {
                    self.remember(letter.record(), Settled::Rejected);
                    let problem = Problem::new(letter.code(), letter.message());
                    (Outcome::Rejected, problem)
                }
                Err(problem) => (Outcome::Failed, problem),
            };
            End::of(outcome, letter.attempts(), Some(problem))
        };
        letters.iter().zip(results).map(end).collect()
    }

    /// As [`deliver`](Self::deliver), of letters of several partitions: those of a partition of which nothing more may start are not sent.
    pub(super) async fn deliver_all(&self, letters: &[DeadLetter]) -> Vec<End> {
        let of = |letter: &DeadLetter| letter.record().partition_index();
        let one = |letters: &[DeadLetter]| letters.windows(2).all(|two| of(&two[0]) == of(&two[1]));
        if one(letters) {
            return self.deliver(letters).await;
        }
        let mut refused: BTreeMap<usize, Problem> = BTreeMap::new();
        let mut asked = BTreeSet::new();
        for letter in letters {
            if asked.insert(of(letter))
                && let Err(problem) = self.may_start(letter.record()).await
            {
                refused.insert(of(letter), problem);
            }
        }
        let sent = letters
            .iter()
            .filter(|letter| !refused.contains_key(&of(letter)));
        let sent: Vec<DeadLetter> = sent.cloned().collect();
        let mut ends = match sent.as_slice() {
            [] => Vec::new(),
            sent => self.deliver_held(sent).await,
        }
        .into_iter();
        let end = |letter: &DeadLetter| match refused.get(&of(letter)) {
            Some(problem) => {
                let problem = Some(problem.clone());
                Some(End::of(Outcome::Failed, letter.attempts(), problem))
            }
            None => ends.next(),
        };
        // One end for each letter that was sent.
        letters
            .iter()
            .map(end)
            .map(|end| end.unwrap_or_else(End::unreached))
            .collect()
    }

    /// One call of the destination; one result for each letter.
    async fn send(&self, letters: &[DeadLetter]) -> Vec<Result<(), Problem>> {
        let unconfirmed = |code: &'static str, why: &str| {
            let why = why.to_owned();
            move |letter: &DeadLetter| {
                Problem::new(letter.code(), letter.message()).undelivered(code, &why)
            }
        };
        let all = |problem: &dyn Fn(&DeadLetter) -> Problem| {
            letters.iter().map(|letter| Err(problem(letter))).collect()
        };
        let Some(destination) = &self.processor.destination else {
            let why = "no destination is set for rejected records: set `.on_failure(…)`, or LAMBDA_MSK_ON_FAILURE and `.from_env()`";
            return all(&unconfirmed(Problem::NO_DESTINATION, why));
        };
        let sending = Caught::new(|| Box::pin(destination.send(letters)));
        let sent = match self.invocation.deadline.settle_end() {
            Some(end) => timeout_at(end, sending).await.ok(),
            None => Some(sending.await),
        };
        let mut results = match sent {
            Some(Ok(results)) => results,
            Some(Err(_)) => {
                // Its text may quote a letter.
                let why = "the destination panicked: see standard error for the place in the code";
                return all(&unconfirmed(Problem::SEND_PANICKED, why));
            }
            None => {
                let why = "the destination did not confirm it before time was up";
                return all(&unconfirmed(Problem::SEND_TIMED_OUT, why));
            }
        };
        discard(results.split_off(letters.len().min(results.len())));
        let missing = || Err(SendError::new("it returned too few results"));
        let results = results.into_iter().chain(std::iter::repeat_with(missing));
        letters
            .iter()
            .zip(results)
            .map(|(letter, result)| {
                result.map_err(|SendError(error)| {
                    let why = format!("the destination did not confirm it: {}", told(error));
                    unconfirmed(Problem::UNCONFIRMED, &why)(letter)
                })
            })
            .collect()
    }
}
