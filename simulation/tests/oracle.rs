//! The oracle on short stories: each invariant sees what breaks it, and nothing else.

use msk_simulation::fact::{
    Answer, Fact, GivenUp, How, ItemId, SchemaAnswer, StoredId, Unread, VersionId, What,
};
use msk_simulation::oracle::{Invariant, Ledger, Order, Pace, Reporting, Terms, judge};

fn terms() -> Terms {
    Terms {
        order: Order::Partition,
        reporting: Reporting::Partial,
        ledger: Ledger::Durable,
        retries: Some(1),
        throttles_count: false,
        tail_goes_too: false,
        age_ms: Some(60_000),
        age_of_batch: false,
        deliveries_max: None,
        mapping_keeps_order: true,
        clocks_within_limit: true,
        forgets_after_ms: 24 * 60 * 60 * 1_000,
        at_most_once: false,
        without_store: false,
        // No rule of time is asked.
        pace: Pace::default(),
    }
}

/// Rules of time are asked too.
fn paced() -> Terms {
    Terms {
        pace: Pace {
            timeout_ms: 30_000,
            progress_ms: 250,
            concurrency: 64,
            attempts: 2,
            holds_ms: 0,
        },
        ..terms()
    }
}

const ITEM: ItemId = ItemId {
    environment: None,
    partition: 0,
};

/// A record at its own number's offset, in the one log.
fn appended(record: u32) -> What {
    What::Appended {
        record,
        log: 0,
        partition: 0,
        offset: record.into(),
        key: None,
        timestamp_ms: 0,
    }
}

fn delivered<const N: usize>(invocation: u32, records: [u32; N]) -> What {
    What::Delivered {
        invocation,
        environment: invocation,
        records: records.to_vec(),
        redrive: false,
    }
}

fn taken(invocation: u32) -> What {
    What::Taken {
        item: ITEM,
        invocation,
    }
}

fn started(invocation: u32, record: u32) -> What {
    What::Started { invocation, record }
}

fn done(invocation: u32, record: u32) -> What {
    What::Ended {
        invocation,
        record,
        how: How::Ok,
    }
}

fn given_back<const N: usize>(invocation: u32, settled: [i64; N]) -> What {
    What::Written {
        item: ITEM,
        invocation,
        version: Some(VersionId(0)),
        settled: settled.to_vec(),
        given_back: true,
    }
}

/// The record at offset 0, by its key: which of the items that may be of such a record.
fn claimed_in(invocation: u32, stored: u64) -> What {
    What::Claimed {
        partition: 0,
        offset: 0,
        invocation,
        stored: StoredId(stored),
    }
}

fn noted_in(invocation: u32, stored: u64) -> What {
    What::Noted {
        partition: 0,
        offset: 0,
        invocation,
        stored: StoredId(stored),
    }
}

fn answered<const N: usize>(invocation: u32, listed: [i64; N]) -> What {
    let listed = listed.map(|offset| ("orders-0".to_owned(), offset));
    What::Answered {
        invocation,
        answer: Answer::Listed(listed.to_vec()),
    }
}

/// Of the record at offset 0, by its key.
fn claimed(invocation: u32) -> What {
    claimed_in(invocation, 0)
}

/// Of the record at offset 0, by its key.
fn noted(invocation: u32) -> What {
    noted_in(invocation, 0)
}

fn looked(invocation: u32, record: u32) -> What {
    What::Looked {
        invocation,
        record,
        panics: false,
    }
}

fn faulted(invocation: u32) -> What {
    What::Faulted { invocation }
}

fn read(invocation: u32) -> What {
    What::Read {
        item: ITEM,
        invocation,
        call: 0,
    }
}

fn shown(invocation: u32) -> What {
    What::Shown {
        item: ITEM,
        invocation,
    }
}

fn nothing() -> What {
    What::Note(String::new())
}

fn committed(position: i64) -> What {
    What::Committed { log: 0, position }
}

/// What is broken in a story whose facts are a second apart.
fn broken_under<const N: usize>(terms: &Terms, story: [What; N]) -> Vec<Invariant> {
    let mut at_ms = 0;
    let facts = story.map(|what| {
        at_ms += 1_000;
        (at_ms, what)
    });
    broken_at(terms, facts)
}

/// What is broken in a story of facts at given times.
fn broken_at<const N: usize>(terms: &Terms, story: [(u64, What); N]) -> Vec<Invariant> {
    let facts = story.map(|(at_ms, what)| Fact { at_ms, what });
    let violations = judge(terms, &facts);
    violations
        .into_iter()
        .map(|violation| violation.invariant)
        .collect()
}

fn broken<const N: usize>(story: [What; N]) -> Vec<Invariant> {
    broken_under(&terms(), story)
}

#[test]
fn a_record_that_is_done_recorded_answered_and_committed_breaks_nothing() {
    let story = [
        appended(0),
        delivered(0, [0]),
        taken(0),
        started(0, 0),
        done(0, 0),
        given_back(0, [0]),
        committed(1),
        What::Over { lag: 0 },
    ];

    assert_eq!(broken(story), []);
}

#[test]
fn a_committed_record_that_nobody_did_is_lost() {
    assert_eq!(
        broken([appended(0), committed(1)]),
        [Invariant::NothingLost]
    );
    let erased = [appended(0), What::Erased { record: 0 }, committed(1)];
    assert_eq!(broken(erased), []);
    let landed = What::Landed {
        invocation: 0,
        record: 0,
    };
    assert_eq!(broken([appended(0), landed, committed(1)]), []);
}

#[test]
fn a_record_is_given_up_after_its_attempts_and_not_before() {
    let given_up = || What::GivenUp {
        record: 0,
        why: GivenUp::Attempts,
    };

    let early = [appended(0), delivered(0, [0]), given_up()];
    let rightly = [
        appended(0),
        delivered(0, [0]),
        delivered(1, [0]),
        given_up(),
    ];

    assert_eq!(broken(early), [Invariant::NothingLost]);
    assert_eq!(broken(rightly), []);
}

/// In Queue mode a record is given up only if the broker, too, has delivered it as often as it does.
#[test]
fn a_share_groups_record_is_given_up_after_its_deliveries_and_not_before() {
    let queue = Terms {
        retries: Some(0),
        deliveries_max: Some(2),
        ..terms()
    };
    let acquired = || What::Acquired { record: 0 };
    let story = |again: What, end: What| [appended(0), acquired(), delivered(0, [0]), again, end];
    let given_up = || What::GivenUp {
        record: 0,
        why: GivenUp::Attempts,
    };
    let archived = || What::Archived { record: 0 };
    let nothing = || What::Note(String::new());
    let set_back = || What::SetBack { log: 0 };

    for end in [given_up(), archived()] {
        assert_eq!(broken_under(&queue, story(acquired(), end.clone())), []);
        let early = broken_under(&queue, story(nothing(), end.clone()));
        assert_eq!(early, [Invariant::NothingLost]);
        let anew = broken_under(&queue, story(set_back(), end));
        assert_eq!(anew, [Invariant::NothingLost]);
    }
}

#[test]
fn a_share_groups_record_is_accepted_only_if_it_was_done() {
    let accepted = || What::Accepted { record: 0 };
    let landed = What::Landed {
        invocation: 0,
        record: 0,
    };

    assert_eq!(broken([appended(0), accepted()]), [Invariant::NothingLost]);
    assert_eq!(broken([appended(0), landed, accepted()]), []);
}

#[test]
fn a_record_that_nobody_has_done_in_the_end_is_lost() {
    let over = || What::Over { lag: 0 };
    let erased = What::Erased { record: 0 };

    assert_eq!(broken([appended(0), over()]), [Invariant::NothingLost]);
    assert_eq!(broken([appended(0), erased, over()]), []);
}

#[test]
fn a_share_groups_batch_is_answered_in_the_order_of_offsets() {
    let story = |listed: What| {
        [
            appended(0),
            appended(1),
            delivered(0, [1, 0]),
            taken(0),
            listed,
        ]
    };

    assert_eq!(broken(story(answered(0, [0, 1]))), []);
    assert_eq!(broken(story(answered(0, [1, 0]))), [Invariant::Answer]);
}

#[test]
fn a_record_goes_with_one_that_was_tried_enough_only_where_that_is_the_reading() {
    let story = || {
        [
            appended(0),
            appended(1),
            delivered(0, [0]),
            delivered(1, [0, 1]),
            What::GivenUp {
                record: 1,
                why: GivenUp::Attempts,
            },
        ]
    };

    let taken_along = Terms {
        tail_goes_too: true,
        ..terms()
    };

    assert_eq!(broken(story()), [Invariant::NothingLost]);
    assert_eq!(broken_under(&taken_along, story()), []);
}

#[test]
fn a_young_record_is_not_given_up_for_its_age() {
    let given_up = What::GivenUp {
        record: 0,
        why: GivenUp::Age,
    };

    assert_eq!(broken([appended(0), given_up]), [Invariant::NothingLost]);
}

#[test]
fn a_ledger_that_holds_what_was_not_settled_loses_it() {
    let story = [appended(0), delivered(0, [0]), taken(0), given_back(0, [0])];

    assert_eq!(broken(story), [Invariant::NothingLost]);
}

#[test]
fn a_later_record_of_a_lane_does_not_start_before_an_earlier_one_is_settled() {
    let story = || {
        [
            appended(0),
            appended(1),
            delivered(0, [0, 1]),
            taken(0),
            started(0, 1),
        ]
    };
    let under = |order| {
        let terms = Terms { order, ..terms() };
        broken_under(&terms, story())
    };

    assert_eq!(under(Order::Partition), [Invariant::Order]);
    // Neither has a key.
    assert_eq!(under(Order::Key), [Invariant::Order]);
    assert_eq!(under(Order::KeyIfAny), []);
    assert_eq!(under(Order::Unordered), []);
}

fn called<const N: usize>(call: u64, records: [u32; N]) -> What {
    What::Called {
        invocation: 0,
        call,
        records: records.to_vec(),
    }
}

fn failed(record: u32) -> What {
    What::Ended {
        invocation: 0,
        record,
        how: How::Failed,
    }
}

/// One call of two records, which both start with it.
fn two_called() -> Vec<What> {
    vec![
        appended(0),
        appended(1),
        delivered(0, [0, 1]),
        taken(0),
        called(0, [0, 1]),
        started(0, 0),
        started(0, 1),
    ]
}

#[test]
fn records_of_one_call_start_with_it_in_order() {
    let story = |more: Vec<What>| {
        let story = two_called().into_iter().chain(more);
        let facts: Vec<Fact> = story.map(|what| Fact { at_ms: 0, what }).collect();
        let broken = judge(&terms(), &facts).into_iter();
        broken.map(|broken| broken.invariant).collect::<Vec<_>>()
    };
    let over = || What::CallOver {
        invocation: 0,
        call: 0,
    };

    assert_eq!(
        story(vec![failed(0), done(0, 1), over(), called(1, [0])]),
        []
    );
    // Its lane has a chunk out; the one before it has failed; they come in the wrong order.
    assert_eq!(story(vec![called(1, [0, 1])]), [Invariant::Order; 2]);
    let behind = vec![failed(0), failed(1), over(), called(1, [1])];
    assert_eq!(story(behind), [Invariant::Order]);
    let reversed = vec![failed(0), failed(1), over(), called(1, [1, 0])];
    assert_eq!(story(reversed), [Invariant::Order]);
}

#[test]
fn what_is_recorded_does_not_start_again_unless_it_was_forgotten() {
    let again = |between: What| {
        [
            appended(0),
            delivered(0, [0]),
            taken(0),
            started(0, 0),
            done(0, 0),
            given_back(0, [0]),
            between,
            delivered(1, [0]),
            taken(1),
            started(1, 0),
        ]
    };

    assert_eq!(broken(again(What::Note(String::new()))), [Invariant::Once]);
    assert_eq!(broken(again(What::Deleted { item: ITEM })), []);
}

/// In the middle of its work an invocation may learn what others have settled, too late for what it has begun.
#[test]
fn what_an_invocation_is_told_once_a_records_turn_has_come_is_too_late_for_that() {
    let unordered = Terms {
        order: Order::Unordered,
        ..terms()
    };
    let told = || What::Told {
        invocation: 1,
        call: 0,
    };
    let story = |before: What, after: What| {
        [
            appended(0),
            delivered(0, [0]),
            delivered(1, [0]),
            read(0),
            started(0, 0),
            done(0, 0),
            given_back(0, [0]),
            read(1),
            before,
            looked(1, 0),
            after,
            started(1, 0),
        ]
    };

    assert_eq!(broken_under(&unordered, story(nothing(), told())), []);
    let known = broken_under(&unordered, story(told(), nothing()));
    assert_eq!(known, [Invariant::Once]);
}

/// What is done is recorded soon, beside the time between two writes of progress.
#[test]
fn what_is_done_is_recorded_soon() {
    let story = |recorded_ms: u64, fault: What| {
        [
            (0, appended(0)),
            (0, appended(1)),
            (0, delivered(0, [0, 1])),
            (10, taken(0)),
            (10, looked(0, 0)),
            (100, done(0, 0)),
            (100, fault),
            (recorded_ms, given_back(0, [0])),
        ]
    };

    assert_eq!(broken_at(&paced(), story(450, nothing())), []);
    let late = broken_at(&paced(), story(451, nothing()));
    assert_eq!(late, [Invariant::Recorded]);
    assert_eq!(broken_at(&paced(), story(451, faulted(0))), []);
    let held = Terms {
        pace: Pace {
            holds_ms: 1,
            ..paced().pace
        },
        ..paced()
    };
    assert_eq!(broken_at(&held, story(453, nothing())), []);
}

#[test]
fn what_is_done_is_recorded_before_the_answer_unless_the_process_died() {
    let story = |end: What| {
        [
            (0, appended(0)),
            (0, delivered(0, [0])),
            (10, taken(0)),
            (10, looked(0, 0)),
            (10, started(0, 0)),
            (100, done(0, 0)),
            (110, end),
            (120, answered(0, [])),
        ]
    };
    let killed = What::Killed { environment: 0 };
    let broken = |end: What| {
        let mut broken = broken_at(&paced(), story(end));
        // Nor is the partition given back, which another rule sees.
        broken.retain(|invariant| *invariant != Invariant::Live);
        broken
    };

    assert_eq!(broken(given_back(0, [0])), []);
    assert_eq!(broken(nothing()), [Invariant::Recorded]);
    assert_eq!(broken(given_back(0, [])), [Invariant::Recorded]);
    assert_eq!(broken(killed), []);
    assert_eq!(broken(faulted(0)), []);
}

#[test]
fn what_is_done_so_near_to_the_deadline_that_it_may_be_too_late_is_not_asked_for() {
    let story = |done_ms: u64| {
        [
            (0, appended(0)),
            (0, delivered(0, [0])),
            (10, taken(0)),
            (10, looked(0, 0)),
            (done_ms, done(0, 0)),
            (29_900, answered(0, [])),
        ]
    };
    let broken = |done_ms| {
        let mut broken = broken_at(&paced(), story(done_ms));
        // Nor is the partition given back, which another rule sees.
        broken.retain(|invariant| *invariant != Invariant::Live);
        broken
    };

    assert_eq!(broken(28_651), []);
    assert_eq!(broken(28_650), [Invariant::Recorded]);
}

#[test]
fn what_is_done_by_key_is_recorded_whatever_its_lane_waits_for_then() {
    let by_key = Terms {
        ledger: Ledger::PerRecord,
        ..paced()
    };
    let story = |noted_ms: u64, taken_over: What| {
        [
            (0, appended(0)),
            (0, delivered(0, [0])),
            (0, delivered(1, [0])),
            (10, claimed(0)),
            (10, started(0, 0)),
            (100, done(0, 0)),
            (150, taken_over),
            (noted_ms, noted(0)),
            (noted_ms, answered(0, [])),
        ]
    };
    let none = |noted_ms: u64| {
        let mut story = story(noted_ms, nothing());
        story[7].1 = nothing();
        story
    };

    assert_eq!(broken_at(&by_key, story(200, nothing())), []);
    let late = broken_at(&by_key, story(201, nothing()));
    assert_eq!(late, [Invariant::Recorded]);
    assert_eq!(broken_at(&by_key, none(200)), [Invariant::Recorded]);
}

#[test]
fn nobody_takes_a_partition_from_an_invocation_that_has_met_no_fault() {
    let story = |between: What| {
        [
            appended(0),
            delivered(0, [0]),
            taken(0),
            between,
            delivered(1, [0]),
            taken(1),
        ]
    };
    let killed = What::Killed { environment: 0 };

    assert_eq!(broken(story(nothing())), [Invariant::Held]);
    assert_eq!(broken(story(given_back(0, []))), []);
    assert_eq!(broken(story(faulted(0))), []);
    assert_eq!(broken(story(killed)), []);
}

#[test]
fn nobody_claims_a_record_that_an_invocation_holds_which_has_met_no_fault() {
    let by_key = Terms {
        ledger: Ledger::PerRecord,
        ..terms()
    };
    let story = |between: What| {
        [
            appended(0),
            delivered(0, [0]),
            claimed(0),
            between,
            delivered(1, [0]),
            claimed(1),
        ]
    };
    let released = What::Released {
        partition: 0,
        offset: 0,
        invocation: 0,
        stored: StoredId(0),
    };

    assert_eq!(broken_under(&by_key, story(nothing())), [Invariant::Held]);
    assert_eq!(broken_under(&by_key, story(claimed(0))), [Invariant::Held]);
    assert_eq!(broken_under(&by_key, story(released)), []);
    assert_eq!(broken_under(&by_key, story(faulted(0))), []);
}

#[test]
fn an_opened_partition_has_its_turn_where_there_is_a_place_for_it() {
    let story = |turn_ms: u64, turn: What, fault: What| {
        [
            (0, appended(0)),
            (0, delivered(0, [0])),
            (10, taken(0)),
            (11, fault),
            (turn_ms, turn),
            (turn_ms, given_back(0, [])),
            (turn_ms, answered(0, [0])),
        ]
    };
    let full = Terms {
        pace: Pace {
            concurrency: 0,
            ..paced().pace
        },
        ..paced()
    };

    let soon = broken_at(&paced(), story(60, looked(0, 0), nothing()));
    let late = broken_at(&paced(), story(61, looked(0, 0), nothing()));
    let never = broken_at(&paced(), story(61, nothing(), nothing()));
    let fault = broken_at(&paced(), story(61, looked(0, 0), faulted(0)));
    let no_place = broken_at(&full, story(61, looked(0, 0), nothing()));

    assert_eq!(soon, []);
    assert_eq!(late, [Invariant::Reached]);
    assert_eq!(never, [Invariant::Reached]);
    assert_eq!(fault, []);
    assert_eq!(no_place, []);
}

#[test]
fn a_ledger_that_is_read_again_in_the_middle_of_the_work_is_not_opened_by_that() {
    let unordered = Terms {
        order: Order::Unordered,
        ..paced()
    };
    let story = [
        (0, appended(0)),
        (0, appended(1)),
        (0, delivered(0, [0, 1])),
        (10, read(0)),
        (10, looked(0, 0)),
        (20, read(0)),
        (500, looked(0, 1)),
    ];

    assert_eq!(broken_at(&unordered, story), []);
}

#[test]
fn a_write_that_lost_a_race_is_tried_again_at_once() {
    let unordered = Terms {
        order: Order::Unordered,
        ..paced()
    };
    let story = |again_ms: u64, again: What, fault: What| {
        [
            (0, appended(0)),
            (0, delivered(0, [0])),
            (10, read(0)),
            (100, shown(0)),
            (101, fault),
            (again_ms, again),
        ]
    };

    let soon = broken_at(&unordered, story(200, given_back(0, []), nothing()));
    let late = broken_at(&unordered, story(201, given_back(0, []), nothing()));
    let lost_again = broken_at(&unordered, story(201, shown(0), nothing()));
    let fault = broken_at(&unordered, story(201, shown(0), faulted(0)));

    assert_eq!(soon, []);
    assert_eq!(late, [Invariant::Prompt]);
    assert_eq!(lost_again, [Invariant::Prompt]);
    assert_eq!(fault, []);
}

#[test]
fn without_an_order_an_invocation_ends_soon_after_its_last_record() {
    let unordered = Terms {
        order: Order::Unordered,
        ..paced()
    };
    let story = |order: &Terms, answered_ms: u64| {
        let story = [
            (0, appended(0)),
            (0, delivered(0, [0])),
            (10, read(0)),
            (10, looked(0, 0)),
            (100, done(0, 0)),
            (answered_ms, given_back(0, [0])),
            (answered_ms, answered(0, [])),
        ];
        broken_at(order, story)
    };

    assert_eq!(story(&unordered, 1_100), []);
    assert_eq!(story(&unordered, 1_101), [Invariant::Prompt]);
}

#[test]
fn a_letter_says_of_no_handler_that_it_was_started_unless_it_was_or_nobody_can_know() {
    let by_key = Terms {
        ledger: Ledger::PerRecord,
        at_most_once: true,
        ..terms()
    };
    let said = || What::SaidStarted {
        invocation: 1,
        record: 0,
    };
    let story = |before: [What; 2]| {
        let [first, second] = before;
        [
            appended(0),
            delivered(0, [0]),
            claimed(0),
            first,
            second,
            delivered(1, [0]),
            said(),
        ]
    };
    let killed = || What::Killed { environment: 0 };

    let never = broken_under(&by_key, story([answered(0, [0]), nothing()]));
    assert_eq!(never, [Invariant::Truth]);
    let was = broken_under(&by_key, story([started(0, 0), answered(0, [0])]));
    assert_eq!(was, []);
    let unknown = broken_under(&by_key, story([killed(), nothing()]));
    assert_eq!(unknown, []);
    // Its claim could not be given back any more.
    let held_up = || What::HeldUp { invocation: 0 };
    let late = broken_under(&by_key, story([held_up(), answered(0, [0])]));
    assert_eq!(late, []);
    let unclaimed = [appended(0), delivered(1, [0]), said()];
    assert_eq!(broken_under(&by_key, unclaimed), [Invariant::Truth]);
}

#[test]
fn an_old_owner_starts_nothing() {
    let story = [
        appended(0),
        delivered(0, [0]),
        taken(0),
        faulted(0),
        delivered(1, [0]),
        taken(1),
        started(0, 0),
    ];

    assert_eq!(broken(story), [Invariant::OneOwner]);
}

#[test]
fn who_goes_on_without_his_store_is_asked_less_only_where_it_has_failed() {
    let without = Terms {
        without_store: true,
        ..terms()
    };
    let story = |fault: What| [appended(0), delivered(0, [0]), fault, started(0, 0)];
    let faulted = || What::Faulted { invocation: 0 };

    assert_eq!(broken_under(&without, story(faulted())), []);
    assert_eq!(broken(story(faulted())), [Invariant::OneOwner]);
    let nothing = What::Note(String::new());
    let unharmed = broken_under(&without, story(nothing));
    assert_eq!(unharmed, [Invariant::OneOwner]);
}

#[test]
fn nobody_starts_what_he_has_not_taken_or_has_given_back() {
    let not_taken = [appended(0), delivered(0, [0]), started(0, 0)];
    let back = [
        appended(0),
        delivered(0, [0]),
        taken(0),
        given_back(0, []),
        started(0, 0),
    ];

    assert_eq!(broken(not_taken), [Invariant::OneOwner]);
    assert_eq!(broken(back), [Invariant::OneOwner]);
}

#[test]
fn the_answer_lists_what_is_not_done_and_nothing_else() {
    let story = |listed: What| {
        [
            appended(0),
            appended(1),
            delivered(0, [0, 1]),
            taken(0),
            started(0, 0),
            done(0, 0),
            listed,
        ]
    };

    assert_eq!(broken(story(answered(0, [1]))), []);
    assert_eq!(broken(story(answered(0, []))), [Invariant::Answer]);
    assert_eq!(broken(story(answered(0, [0, 1]))), [Invariant::Answer]);
    assert_eq!(broken(story(answered(0, [1, 1]))), [Invariant::Answer]);
    assert_eq!(broken(story(answered(0, [1, 7]))), [Invariant::Answer]);
}

#[test]
fn a_whole_batch_is_a_success_only_if_all_is_done() {
    let whole = Terms {
        reporting: Reporting::WholeBatch,
        ledger: Ledger::None,
        ..terms()
    };
    let story = |done: What, answer: Answer| {
        let answered = What::Answered {
            invocation: 0,
            answer,
        };
        [
            appended(0),
            delivered(0, [0]),
            started(0, 0),
            done,
            answered,
        ]
    };
    let nothing = || What::Note(String::new());
    let success = || Answer::Listed(Vec::new());

    assert_eq!(broken_under(&whole, story(done(0, 0), success())), []);
    assert_eq!(broken_under(&whole, story(nothing(), Answer::Error)), []);
    assert_eq!(
        broken_under(&whole, story(nothing(), success())),
        [Invariant::Answer]
    );
    assert_eq!(
        broken_under(&whole, story(done(0, 0), Answer::Error)),
        [Invariant::Answer]
    );
}

#[test]
fn a_dead_letter_that_is_fed_back_is_skipped_only_if_it_was_done_since() {
    let letter = |settled: What| {
        let redriven = What::Delivered {
            invocation: 1,
            environment: 1,
            records: vec![0],
            redrive: true,
        };
        [
            appended(0),
            delivered(0, [0]),
            taken(0),
            settled,
            given_back(0, [0]),
            redriven,
            taken(1),
            answered(1, []),
        ]
    };
    let confirmed = What::Confirmed {
        invocation: 0,
        record: 0,
    };

    assert_eq!(broken(letter(done(0, 0))), []);
    assert_eq!(broken(letter(confirmed)), [Invariant::Answer]);
}

#[test]
fn a_partition_is_given_back_as_soon_as_it_is_settled() {
    let story = |back: What| {
        [
            appended(0),
            delivered(0, [0]),
            taken(0),
            started(0, 0),
            done(0, 0),
            back,
            answered(0, []),
        ]
    };

    let kept = || story(What::Note(String::new()));
    let faulted = What::Faulted { invocation: 0 };
    // So near to the deadline that the write may have no time.
    let mut short = paced();
    short.pace.timeout_ms = 1_000;

    let seen = broken_under(&paced(), kept());

    assert!(seen.contains(&Invariant::Live), "{seen:?}");
    assert_eq!(broken_under(&paced(), story(faulted)), []);
    assert!(!broken_under(&short, kept()).contains(&Invariant::Live));
}

#[test]
fn what_is_not_done_in_the_end_shows() {
    assert_eq!(broken([What::Over { lag: 1 }]), [Invariant::Live]);
}

#[test]
fn with_clocks_too_far_apart_only_nothing_lost_is_asked() {
    let apart = Terms {
        clocks_within_limit: false,
        ..terms()
    };
    let story = [
        appended(0),
        appended(1),
        delivered(0, [0, 1]),
        started(0, 1),
        What::Overdue { invocation: 0 },
        committed(1),
    ];

    assert_eq!(broken_under(&apart, story), [Invariant::NothingLost]);
}

#[test]
fn at_most_once_is_asked_of_those_who_promise_it() {
    let promised = Terms {
        at_most_once: true,
        ledger: Ledger::None,
        ..terms()
    };
    let story = || {
        [
            appended(0),
            delivered(0, [0]),
            started(0, 0),
            delivered(1, [0]),
            started(1, 0),
        ]
    };

    assert_eq!(broken_under(&promised, story()), [Invariant::AtMostOnce]);
}

/// What a deployment before has begun and left counts, unless it has said that it is not done.
#[test]
fn at_most_once_starts_nothing_that_was_begun_at_least_once() {
    let promised = Terms {
        at_most_once: true,
        ledger: Ledger::None,
        ..terms()
    };
    let old = |environment| What::AtLeastOnce { environment };
    let story = |left: What, then: What| {
        [
            appended(0),
            old(0),
            delivered(0, [0]),
            started(0, 0),
            left,
            then,
            delivered(1, [0]),
            started(1, 0),
        ]
    };
    let released = || What::Released {
        partition: 0,
        offset: 0,
        invocation: 0,
        stored: StoredId(0),
    };
    let nothing = || What::Note(String::new());

    let left = broken_under(&promised, story(nothing(), nothing()));
    assert_eq!(left, [Invariant::AtMostOnce]);
    let released = broken_under(&promised, story(released(), nothing()));
    assert_eq!(released, []);
    let by_an_old_one = broken_under(&promised, story(nothing(), old(1)));
    assert_eq!(by_an_old_one, []);
}

#[test]
fn a_record_by_key_is_started_by_who_claimed_it_and_not_again_once_it_is_settled() {
    let by_key = Terms {
        ledger: Ledger::PerRecord,
        ..terms()
    };
    let noted = noted(0);

    let unclaimed = [appended(0), delivered(0, [0]), started(0, 0)];
    let taken_over = [
        appended(0),
        delivered(0, [0]),
        claimed(0),
        faulted(0),
        delivered(1, [0]),
        claimed(1),
        started(0, 0),
    ];
    let unsettled = [appended(0), delivered(0, [0]), claimed(0), noted.clone()];
    let again = [
        appended(0),
        delivered(0, [0]),
        claimed(0),
        started(0, 0),
        done(0, 0),
        noted,
        delivered(1, [0]),
        claimed(1),
        started(1, 0),
    ];

    assert_eq!(broken_under(&by_key, unclaimed), [Invariant::OneOwner]);
    assert_eq!(broken_under(&by_key, taken_over), [Invariant::OneOwner]);
    assert_eq!(broken_under(&by_key, unsettled), [Invariant::NothingLost]);
    assert_eq!(broken_under(&by_key, again), [Invariant::Once]);
}

/// The topic was made anew: two records have stood at one place, and each has an item. Only the older one is deleted.
#[test]
fn what_is_deleted_of_an_older_record_leaves_what_is_known_of_the_newer_one() {
    let by_key = Terms {
        ledger: Ledger::PerRecord,
        ..terms()
    };
    let anew = || What::Appended {
        record: 1,
        log: 1,
        partition: 0,
        offset: 0,
        key: None,
        timestamp_ms: 7,
    };
    let unmarked = |stored| What::Unmarked {
        partition: 0,
        offset: 0,
        stored: StoredId(stored),
    };
    let story = |deleted: u64, then: What| {
        [
            appended(0),
            delivered(0, [0]),
            claimed_in(0, 70),
            started(0, 0),
            done(0, 0),
            noted_in(0, 70),
            What::Erased { record: 0 },
            anew(),
            delivered(1, [1]),
            claimed_in(1, 71),
            started(1, 1),
            done(1, 1),
            noted_in(1, 71),
            unmarked(deleted),
            delivered(2, [1]),
            claimed_in(2, 71),
            then,
        ]
    };

    let skipped = || answered(2, []);
    let again = || started(2, 1);
    assert_eq!(broken_under(&by_key, story(70, skipped())), []);
    assert_eq!(broken_under(&by_key, story(70, again())), [Invariant::Once]);
    assert_eq!(broken_under(&by_key, story(71, again())), []);
    assert_eq!(
        broken_under(&by_key, story(71, skipped())),
        [Invariant::Answer]
    );
}

/// A read that was slow is asked once more, and the second answer comes first: what stood there when the first one was carried out is not known to the invocation.
#[test]
fn what_an_invocation_has_read_counts_when_the_answer_is_there() {
    let unordered = Terms {
        order: Order::Unordered,
        ..terms()
    };
    let reads = |call| What::Read {
        item: ITEM,
        invocation: 1,
        call,
    };
    let told = |call| What::Told {
        invocation: 1,
        call,
    };
    let story = |first: What, second: What| {
        [
            appended(0),
            delivered(0, [0]),
            delivered(1, [0]),
            started(0, 0),
            done(0, 0),
            reads(2),
            given_back(0, [0]),
            reads(1),
            first,
            second,
            started(1, 0),
        ]
    };
    let nothing = || What::Note(String::new());

    assert_eq!(broken_under(&unordered, story(told(2), nothing())), []);
    assert_eq!(
        broken_under(&unordered, story(told(1), nothing())),
        [Invariant::Once]
    );
    assert_eq!(
        broken_under(&unordered, story(told(2), told(1))),
        [Invariant::Once]
    );
}

/// The same request that lands twice makes the same state twice. Two states of one version are two items to whoever has read the first.
#[test]
fn a_version_stands_for_one_state_of_one_item() {
    let stands = |stored, version, content| What::Stands {
        stored: StoredId(stored),
        version: VersionId(version),
        content,
    };
    let story = |again: What| [stands(0, 7, 1), stands(0, 8, 2), again];

    assert_eq!(broken(story(stands(0, 7, 1))), []);
    assert_eq!(broken(story(stands(1, 7, 3))), []);
    assert_eq!(broken(story(stands(0, 9, 1))), []);
    assert_eq!(broken(story(stands(0, 7, 3))), [Invariant::Once]);
}

/// Without order another invocation may settle what has failed here; it is left to that one only if this one knows.
#[test]
fn a_failed_record_that_is_settled_elsewhere_is_not_listed_once_that_is_known() {
    let terms = |order| Terms { order, ..terms() };
    let reads = || What::Read {
        item: ITEM,
        invocation: 0,
        call: 1,
    };
    let told = || What::Told {
        invocation: 0,
        call: 1,
    };
    let nothing = || What::Note(String::new());
    let story = |heard: What| {
        [
            appended(0),
            delivered(0, [0]),
            delivered(1, [0]),
            started(0, 0),
            started(1, 0),
            done(1, 0),
            given_back(1, [0]),
            reads(),
            heard,
            answered(0, []),
        ]
    };

    let unordered = terms(Order::Unordered);
    assert_eq!(broken_under(&unordered, story(told())), []);
    assert_eq!(
        broken_under(&unordered, story(nothing())),
        [Invariant::Answer]
    );
    let ordered = broken_under(&terms(Order::Partition), story(told()));
    assert!(ordered.contains(&Invariant::Answer), "{ordered:?}");
}

/// What an invocation does without an order, with a record that is to be fed back.
fn unordered() -> Terms {
    Terms {
        order: Order::Unordered,
        ..terms()
    }
}

fn told(invocation: u32) -> What {
    What::Told {
        invocation,
        call: 0,
    }
}

fn confirmed(invocation: u32) -> What {
    What::Confirmed {
        invocation,
        record: 0,
    }
}

fn deleted() -> What {
    What::Deleted { item: ITEM }
}

fn fed_back(invocation: u32) -> What {
    What::Delivered {
        invocation,
        environment: invocation,
        records: vec![0],
        redrive: true,
    }
}

/// A ledger is deleted, and one that had read it writes it anew: what was done is done in it, and a rejection of the same record that comes later changes nothing of that.
#[test]
fn what_was_done_stays_done_in_a_ledger_that_one_writes_anew_who_had_read_it() {
    let story = |writes: What, then: What| {
        [
            appended(0),
            delivered(0, [0]),
            read(0),
            told(0),
            confirmed(0),
            fed_back(1),
            read(1),
            told(1),
            started(1, 0),
            done(1, 0),
            given_back(1, [0]),
            delivered(2, [0]),
            read(2),
            told(2),
            deleted(),
            writes,
            faulted(0),
            shown(0),
            given_back(0, [0]),
            fed_back(3),
            read(3),
            told(3),
            then,
        ]
    };
    let anew = || given_back(2, [0]);

    let skipped = broken_under(&unordered(), story(anew(), answered(3, [])));
    assert_eq!(skipped, []);
    let again = broken_under(&unordered(), story(anew(), started(3, 0)));
    assert_eq!(again, [Invariant::Once]);
    // Nobody who knows that it was done has written it: the rejection stands.
    let skipped = broken_under(&unordered(), story(nothing(), answered(3, [])));
    assert_eq!(skipped, [Invariant::Answer]);
    let again = broken_under(&unordered(), story(nothing(), started(3, 0)));
    assert_eq!(again, []);
}

/// As above, and the ledger was made anew by the rejection first.
#[test]
fn what_was_rejected_anew_may_be_done_once_one_has_written_who_had_read_so() {
    let story = |reads: What, hears: What, then: What| {
        [
            appended(0),
            fed_back(1),
            started(1, 0),
            done(1, 0),
            given_back(1, [0]),
            delivered(2, [0]),
            reads,
            hears,
            deleted(),
            delivered(0, [0]),
            confirmed(0),
            given_back(0, [0]),
            faulted(2),
            shown(2),
            given_back(2, [0]),
            fed_back(3),
            read(3),
            told(3),
            then,
        ]
    };
    let knew = |then| broken_under(&unordered(), story(read(2), told(2), then));
    let knew_not = |then| broken_under(&unordered(), story(nothing(), nothing(), then));

    assert_eq!(knew(answered(3, [])), []);
    assert_eq!(knew_not(answered(3, [])), [Invariant::Answer]);
    assert_eq!(knew_not(started(3, 0)), []);
}

/// An invocation skips by what it was told, though the ledger was deleted and made anew before its answer.
#[test]
fn what_was_skipped_as_done_is_no_less_so_when_it_is_rejected_anew() {
    let story = |knows: [What; 2]| {
        let [reads, hears] = knows;
        [
            appended(0),
            fed_back(1),
            started(1, 0),
            done(1, 0),
            given_back(1, [0]),
            fed_back(2),
            reads,
            hears,
            deleted(),
            delivered(0, [0]),
            confirmed(0),
            given_back(0, [0]),
            answered(2, []),
        ]
    };

    let knew = broken_under(&unordered(), story([read(2), told(2)]));
    assert_eq!(knew, []);
    let knew_not = broken_under(&unordered(), story([read(2), nothing()]));
    assert_eq!(knew_not, [Invariant::Answer]);
}

/// As above, by key.
#[test]
fn what_was_skipped_as_done_by_key_is_no_less_so_when_it_is_rejected_anew() {
    let by_key = Terms {
        ledger: Ledger::PerRecord,
        ..terms()
    };
    let unmarked = || What::Unmarked {
        partition: 0,
        offset: 0,
        stored: StoredId(0),
    };
    let story = |delivered_before: What, delivered_after: What, again: [What; 2]| {
        let [claimed_again, unmarked_again] = again;
        [
            appended(0),
            delivered(1, [0]),
            claimed(1),
            started(1, 0),
            done(1, 0),
            noted(1),
            delivered_before,
            unmarked(),
            delivered_after,
            delivered(0, [0]),
            confirmed(0),
            noted(0),
            claimed_again,
            unmarked_again,
            answered(2, []),
        ]
    };

    let once = || [nothing(), nothing()];
    let before = broken_under(&by_key, story(fed_back(2), nothing(), once()));
    assert_eq!(before, []);
    let after = broken_under(&by_key, story(nothing(), fed_back(2), once()));
    assert_eq!(after, [Invariant::Answer]);
    let twice = [nothing(), unmarked()];
    let before = broken_under(&by_key, story(fed_back(2), nothing(), twice));
    assert_eq!(before, []);
    // It had expired, and was written over.
    let mut over = story(fed_back(2), nothing(), once());
    over[7] = nothing();
    assert_eq!(broken_under(&by_key, over), []);
}

/// An invocation answers for what it was told, not for what others have written of which it knows nothing.
#[test]
fn what_another_one_has_settled_is_listed_by_one_that_was_not_told() {
    let story = |hears: What| {
        [
            appended(0),
            delivered(0, [0]),
            delivered(1, [0]),
            read(1),
            started(0, 0),
            done(0, 0),
            given_back(0, [0]),
            What::Read {
                item: ITEM,
                invocation: 1,
                call: 1,
            },
            hears,
            answered(1, []),
        ]
    };
    let hears = What::Told {
        invocation: 1,
        call: 1,
    };

    assert_eq!(broken_under(&unordered(), story(hears)), []);
    let not_told = broken_under(&unordered(), story(nothing()));
    assert_eq!(not_told, [Invariant::Answer]);
}

/// A write holds what was settled when it was asked for, however late it lands.
#[test]
fn a_write_that_lands_late_holds_what_was_settled_when_it_was_asked_for() {
    let writes = || What::Writes {
        invocation: 1,
        version: VersionId(0),
    };
    let story = |before: What, after: What, then: What| {
        [
            appended(0),
            delivered(0, [0]),
            taken(0),
            confirmed(0),
            given_back(0, [0]),
            fed_back(1),
            taken(1),
            started(1, 0),
            before,
            done(1, 0),
            after,
            faulted(1),
            What::Killed { environment: 1 },
            given_back(1, [0]),
            fed_back(2),
            taken(2),
            then,
        ]
    };

    assert_eq!(broken(story(writes(), nothing(), started(2, 0))), []);
    let skipped = broken(story(writes(), nothing(), answered(2, [])));
    assert!(skipped.contains(&Invariant::Answer), "{skipped:?}");
    let again = broken(story(nothing(), writes(), started(2, 0)));
    assert_eq!(again, [Invariant::Once]);
}

/// As above, of a record that nobody had settled before.
#[test]
fn a_write_that_lands_late_holds_nothing_that_was_settled_since() {
    let writes = || What::Writes {
        invocation: 0,
        version: VersionId(0),
    };
    let story = |before: What, after: What| {
        [
            appended(0),
            delivered(0, [0]),
            taken(0),
            started(0, 0),
            before,
            done(0, 0),
            after,
            given_back(0, [0]),
        ]
    };

    assert_eq!(broken(story(nothing(), writes())), []);
    let early = broken(story(writes(), nothing()));
    assert_eq!(early, [Invariant::NothingLost]);
}

/// What a ledger has forgotten, since it may not come again, comes all the same, and is rejected then.
#[test]
fn what_was_done_and_forgotten_does_not_outweigh_a_later_rejection() {
    let story = |forgets: What, then: What| {
        [
            appended(0),
            delivered(0, [0]),
            started(0, 0),
            done(0, 0),
            given_back(0, [0]),
            delivered(1, [1]),
            read(1),
            told(1),
            forgets,
            delivered(2, [0]),
            confirmed(2),
            given_back(2, [0]),
            fed_back(3),
            read(3),
            told(3),
            then,
        ]
    };
    let forgets = || given_back(1, []);

    let again = broken_under(&unordered(), story(forgets(), started(3, 0)));
    assert_eq!(again, []);
    let skipped = broken_under(&unordered(), story(forgets(), answered(3, [])));
    assert_eq!(skipped, [Invariant::Answer]);
    let again = broken_under(&unordered(), story(nothing(), started(3, 0)));
    assert_eq!(again, [Invariant::Once]);
}

fn framed(exists: bool) -> What {
    What::Framed {
        record: 0,
        schema: 7,
        exists,
    }
}

fn asked(invocation: u32) -> What {
    What::SchemaAsked {
        invocation,
        schema: 7,
    }
}

fn registry_says(answer: SchemaAnswer) -> What {
    What::SchemaAnswered {
        invocation: 0,
        schema: 7,
        answer,
    }
}

fn said_unread() -> What {
    What::SaidUnread {
        invocation: 0,
        record: 0,
    }
}

/// What is broken by the schema's record in the one invocation, after the registry has said that.
fn of_schemas(exists: bool, answer: SchemaAnswer, then: What) -> Vec<Invariant> {
    let story = [
        appended(0),
        framed(exists),
        delivered(0, [0]),
        asked(0),
        registry_says(answer),
        then,
    ];
    // A moment: nobody has waited too long.
    broken_at(&paced(), story.map(|what| (0, what)))
}

#[test]
fn a_record_is_rejected_for_its_schema_only_if_the_registry_has_denied_it() {
    let rejected = |exists, answer| of_schemas(exists, answer, said_unread());

    assert_eq!(rejected(false, SchemaAnswer::NotFound), []);
    let outage = rejected(false, SchemaAnswer::Unavailable);
    assert_eq!(outage, [Invariant::Schemas]);
    let late = rejected(true, SchemaAnswer::Abandoned);
    assert_eq!(late, [Invariant::Schemas]);
}

#[test]
fn a_record_is_unread_only_in_an_invocation_to_which_the_registry_has_failed() {
    let unread = |answer| {
        let why = Unread::NoSchema;
        let (invocation, record) = (0, 0);
        let unread = What::Unread {
            invocation,
            record,
            why,
        };
        of_schemas(true, answer, unread)
    };

    assert_eq!(unread(SchemaAnswer::Unavailable), []);
    assert_eq!(unread(SchemaAnswer::Abandoned), []);
    assert_eq!(unread(SchemaAnswer::Found), [Invariant::Schemas]);
}

#[test]
fn a_process_asks_once_for_what_it_gets_and_an_invocation_once_for_what_it_does_not() {
    let again = |answer, by| {
        let again = |then| {
            broken([
                appended(0),
                framed(true),
                delivered(0, [0]),
                asked(0),
                then,
                delivered_to_the_first(1),
                asked(by),
            ])
        };
        again(registry_says(answer))
    };

    assert_eq!(again(SchemaAnswer::Unavailable, 1), []);
    let in_one = again(SchemaAnswer::Unavailable, 0);
    assert_eq!(in_one, [Invariant::Schemas]);
    assert_eq!(again(SchemaAnswer::Found, 1), [Invariant::Schemas]);
    assert_eq!(again(SchemaAnswer::NotFound, 1), [Invariant::Schemas]);
}

/// A second invocation, in the process of the first one.
fn delivered_to_the_first(invocation: u32) -> What {
    What::Delivered {
        invocation,
        environment: 0,
        records: vec![0],
        redrive: false,
    }
}

#[test]
fn a_record_has_no_turn_while_its_schema_is_being_asked_for() {
    let turn = |then: What, at_ms: u64| {
        let looked = What::Looked {
            invocation: 0,
            record: 0,
            panics: false,
        };
        let story = [
            (0, appended(0)),
            (0, framed(true)),
            (0, delivered(0, [0])),
            (0, asked(0)),
            (1, then),
            (at_ms, looked),
        ];
        let mut found = broken_at(&paced(), story);
        // Nobody has taken the partition here.
        found.retain(|broken| *broken == Invariant::Schemas);
        found
    };

    assert_eq!(turn(registry_says(SchemaAnswer::Found), 1), []);
    assert_eq!(turn(nothing(), 1_999), [Invariant::Schemas]);
    // It has waited as long as it may. The request stands, for the next invocation.
    assert_eq!(turn(nothing(), 2_000), []);
}

#[test]
fn metrics_count_every_record_that_an_invocation_was_given() {
    let counted = |counted| {
        let measured = What::Measured {
            invocation: 0,
            counted,
            retried: 0,
        };
        broken([appended(0), appended(1), delivered(0, [0, 1]), measured])
    };

    assert_eq!(counted(2), []);
    assert_eq!(counted(1), [Invariant::Counted]);
    assert_eq!(counted(3), [Invariant::Counted]);
}

/// Eight records of one lane, and calls of them: the records of each, and the one that spoils it. With `rejected`, the last call of the poison record alone has rejected it. Those that
/// are not done are listed.
fn halved<const N: usize>(
    calls: &[(&[u32], Option<u32>)],
    rejected: bool,
    open: [i64; N],
) -> Vec<Invariant> {
    let mut story: Vec<What> = (0..8).map(appended).collect();
    story.extend([delivered(0, [0, 1, 2, 3, 4, 5, 6, 7]), taken(0)]);
    let alone = calls.iter().rposition(|(records, _)| *records == [5]);
    for (at, (records, culprit)) in calls.iter().enumerate() {
        let (invocation, call) = (0, at as u64);
        story.push(What::Called {
            invocation,
            call,
            records: records.to_vec(),
        });
        story.extend(records.iter().map(|record| started(0, *record)));
        story.extend(culprit.map(|record| What::Spoiled {
            invocation,
            call,
            record,
            nobodys_fault: false,
        }));
        story.extend(records.iter().map(|record| match culprit {
            Some(_) => failed(*record),
            None => done(0, *record),
        }));
        story.push(What::CallOver { invocation, call });
        if rejected && alone == Some(at) {
            let record = 5;
            story.push(What::Landed { invocation, record });
            story.push(What::Confirmed { invocation, record });
        }
    }
    let settled = (0..8).filter(|offset| !open.contains(offset)).collect();
    story.push(What::Written {
        item: ITEM,
        invocation: 0,
        version: Some(VersionId(0)),
        settled,
        given_back: true,
    });
    story.push(answered(0, open));
    let story = story.into_iter();
    let facts: Vec<Fact> = story.map(|what| Fact { at_ms: 0, what }).collect();
    let broken = judge(&paced(), &facts).into_iter();
    broken.map(|broken| broken.invariant).collect()
}

const ALL: &[u32] = &[0, 1, 2, 3, 4, 5, 6, 7];
const POISON: Option<u32> = Some(5);

#[test]
fn a_poison_record_of_a_chunk_costs_two_calls_a_level_and_no_neighbour() {
    let found = [
        (ALL, POISON),
        (ALL, POISON),
        (&[0, 1, 2, 3], None),
        (&[4, 5, 6, 7], POISON),
        (&[4, 5], POISON),
        (&[4], None),
        (&[5], POISON),
        (&[5], POISON),
    ];
    let with_neighbours = [&found[..], &[(&[6, 7][..], None)]].concat();

    // It has failed, and those behind it are not reached; or it is rejected, and all others are done.
    assert_eq!(halved(&found, false, [5, 6, 7]), []);
    assert_eq!(halved(&with_neighbours, true, []), []);
    // It is rejected, and its neighbours are left.
    assert_eq!(halved(&found, true, [6, 7]), [Invariant::Halved; 2]);
}

#[test]
fn a_part_of_a_chunk_that_is_tried_as_often_as_the_whole_costs_too_much() {
    let calls = [
        (ALL, POISON),
        (ALL, POISON),
        (&[0, 1, 2, 3], None),
        (&[4, 5, 6, 7], POISON),
        (&[4, 5, 6, 7], POISON),
        (&[4, 5], POISON),
        (&[4, 5], POISON),
        (&[4], None),
        (&[5], POISON),
        (&[5], POISON),
    ];
    let once_more = [&calls[..7], &[(&[4, 5][..], POISON)], &calls[7..]].concat();

    assert_eq!(halved(&calls, false, [5, 6, 7]), []);
    assert_eq!(halved(&once_more, false, [5, 6, 7]), [Invariant::Halved]);
}

#[test]
fn metrics_count_as_retries_the_starts_beyond_each_records_first() {
    let counted = |retried| {
        let measured = What::Measured {
            invocation: 0,
            counted: 2,
            retried,
        };
        let mut found = broken([
            appended(0),
            appended(1),
            delivered(0, [0, 1]),
            started(0, 0),
            started(0, 0),
            started(0, 1),
            measured,
        ]);
        // Nobody has taken the partition here.
        found.retain(|broken| *broken == Invariant::Counted);
        found
    };

    assert_eq!(counted(1), []);
    assert_eq!(counted(0), [Invariant::Counted]);
    assert_eq!(counted(3), [Invariant::Counted]);
}
