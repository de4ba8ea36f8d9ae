//! What is going to happen in a run, as it stands in `agenda`. Planned by the parts of `world`, which do it when its time has come.

use msk_mapping::machine::{Acknowledgement, DeliveryId, End};

use crate::fact::{EnvironmentId, InvocationId, RecordId};
use crate::port::{Reply, Request};
use crate::share::{Lock, MemberId};

/// What is going to happen.
#[derive(Debug)]
pub(crate) enum Happening {
    Append(RecordId),
    /// The mapping asked for it.
    Wake,
    Fetch(u32),
    Assign {
        partition: u32,
        poller: u32,
    },
    /// The group has said that it takes the partition, and waits so long for what is under way.
    HandOver {
        partition: u32,
        epoch: u64,
        until_ms: u64,
    },
    Commit {
        partition: u32,
        epoch: u64,
        poller: u32,
        position: i64,
        refused: bool,
    },
    /// Queue mode: a poller becomes a member of the share group.
    Join(u32),
    Acquire {
        poller: u32,
        by: MemberId,
    },
    Acknowledge {
        of: Acknowledged,
        with: Acknowledgement,
    },
    LockEnds {
        partition: u32,
        offset: i64,
        lock: Lock,
    },
    DeliveryEnds {
        id: DeliveryId,
        taken: bool,
    },
    Dispatch(InvocationId),
    Arrives {
        environment: EnvironmentId,
        call: u64,
        request: Request,
        invocation: InvocationId,
        back_ms: Option<u64>,
        fails: bool,
    },
    Replies {
        environment: EnvironmentId,
        call: u64,
        reply: Reply,
    },
    /// A call that the network held back.
    Late {
        request: Request,
        invocation: InvocationId,
    },
    Kill {
        environment: EnvironmentId,
        invocation: InvocationId,
    },
    Freeze {
        environment: EnvironmentId,
        invocation: InvocationId,
        for_ms: u64,
    },
    Thaw(EnvironmentId),
    TimesOut(InvocationId),
    LosesConnection(InvocationId),
    /// The mapping hears how an invocation ended.
    Heard {
        invocation: InvocationId,
        end: End,
    },
    /// The function is deployed anew: from now on at most once.
    Deployment,
    Trouble(Trouble),
    Quiet,
    Over,
}

/// What befalls the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    Rebalance,
    Compaction,
    Renewal,
    Reset,
    Forgetting,
    Expiry,
    ClockJump,
    Redrive,
}

/// What one acknowledgement is of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Acknowledged {
    pub(crate) partition: u32,
    pub(crate) offset: i64,
    pub(crate) by: MemberId,
}
