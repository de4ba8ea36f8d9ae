//! A run of `dev` once all is known that it needs: records are written, a driver for each topic runs to its end, and the
//! verdict is told.

use std::process::ExitCode;
use std::sync::Arc;

use msk_mapping::Function;
use msk_mapping::driver::{Cluster, Control, Driver, EmbeddedBroker, Producer, Status};
use msk_mapping::machine::Configuration;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::{JoinHandle, JoinSet};

use super::args::{Args, TIMEOUT};
use super::cluster::produce::{self, Wanted};
use super::cluster::{broker, connect};
use super::payloads::{self, Payloads};
use super::show::{End, Show, lines, nothing};
use super::watch::{self, Watched};
use super::{destination, failed, registry};
use crate::fault::{Fault, warn};
use crate::function::dead_letters::Mark;
use crate::function::payloads::Reader;
use crate::function::{log_level, measured};
use crate::verdict::Verdict;

/// What a run is made of.
pub(crate) struct Work<'a> {
    pub(crate) args: &'a Args,
    pub(crate) cluster: &'a Cluster,
    /// Of each topic, without the function, which was not known yet.
    pub(crate) configurations: Vec<Configuration>,
    /// None: it is somebody else's.
    pub(crate) broker: Option<&'a EmbeddedBroker>,
    pub(crate) wanted: &'a [Wanted],
    pub(crate) show: &'a Arc<Show>,
}

/// The mappings of a run, while they are under way.
struct Running {
    drivers: JoinSet<Result<Status, msk_mapping::driver::Error>>,
    controls: Vec<Control>,
}

impl Work<'_> {
    /// Runs to the end, or until it is stopped.
    ///
    /// # Errors
    ///
    /// What keeps it from going on.
    pub(crate) async fn run(
        &self,
        function: Function,
        watched: Option<Watched>,
        mut interrupts: UnboundedReceiver<()>,
    ) -> Result<ExitCode, Fault> {
        let function = dressed(function, &self.args.env, self.show);
        let produced = tokio::select! {
            produced = self.fill() => produced?,
            Some(()) = interrupts.recv() => return Err(Fault::interrupted()),
        };
        if let Some(remark) = log_level::remark(&self.args.env) {
            warn(&remark);
        }
        let mark = Mark::set(&self.args.env);
        self.show.begun(self.cluster.bootstrap(), produced)?;
        let (payloads, showing) = match self.args.output.payloads {
            true => {
                let reader = Reader::of(&self.args.env, self.args.settings.schemas.named()?);
                Some(Payloads::start(reader, Arc::clone(self.show)))
            }
            false => None,
        }
        .unzip();
        let mut running = self.start(&function, payloads, &mut interrupts).await?;
        let _watching = watched.map(|watched| {
            let (env, show) = (self.args.env.clone(), Arc::clone(self.show));
            let controls = running.controls.clone();
            let watching = async move {
                let dress = |function| dressed(function, &env, &show);
                watch::watch(watched, dress, controls, &show).await;
            };
            AbortOnDrop(tokio::spawn(watching))
        });
        let ended = self.wait(&mut running, &mut interrupts).await;
        if let (Some(showing), Ok(_)) = (showing, &ended) {
            payloads::finish(showing).await;
        }
        let letters = mark.map(|mark| mark.read().letters).unwrap_or_default();
        self.show.seen().fates.letters(letters);
        let (ends, stopped) = ended?;
        self.end(&ends, stopped)
    }

    /// A driver for each topic. One that can do no more of use is drained.
    async fn start(
        &self,
        function: &Function,
        payloads: Option<Payloads>,
        interrupts: &mut UnboundedReceiver<()>,
    ) -> Result<Running, Fault> {
        let mut running = Running {
            drivers: JoinSet::new(),
            controls: Vec::new(),
        };
        for configuration in &self.configurations {
            let driver = tokio::select! {
                driver = self.driver(configuration, function) => driver?,
                Some(()) = interrupts.recv() => return Err(Fault::interrupted()),
            };
            let topic = &configuration.topic;
            let driver = match &payloads {
                Some(payloads) => driver.events(payloads.of(topic)),
                None => driver,
            };
            let control = driver.control();
            running.controls.push(control.clone());
            let (topic, show) = (configuration.topic.clone(), Arc::clone(self.show));
            // A function that is being worked on may be better after its next build.
            let goes_on = self.args.watch;
            let notices = move |notice| {
                let hopeless = show.notice(&topic, &notice);
                if hopeless && !goes_on {
                    control.drain();
                }
            };
            running.drivers.spawn(driver.run(notices));
        }
        Ok(running)
    }

    /// Until all have ended: how each stood, and whether they were told to stop.
    async fn wait(
        &self,
        running: &mut Running,
        interrupts: &mut UnboundedReceiver<()>,
    ) -> Result<(Vec<Status>, bool), Fault> {
        let Running { drivers, controls } = running;
        let mut ends = Vec::new();
        let (mut stopped, mut broken) = (false, None);
        loop {
            tokio::select! {
                ended = drivers.join_next() => match ended {
                    None => break,
                    Some(Ok(Ok(status))) => ends.push(status),
                    // What the other topics have under way may end.
                    Some(Ok(Err(error))) => {
                        broken.get_or_insert_with(|| failed::fault(&error));
                        controls.iter().for_each(Control::drain);
                    }
                    Some(Err(error)) => return Err(Fault::from_error(&error)),
                },
                Some(()) = interrupts.recv() => {
                    if stopped {
                        return Err(Fault::interrupted());
                    }
                    stopped = true;
                    warn("stopping: invocations in flight may finish; Ctrl-C again ends them now");
                    controls.iter().for_each(Control::drain);
                }
            }
        }
        ends.sort_by(|one, other| one.topic.cmp(&other.topic));
        broken.map_or(Ok((ends, stopped)), Err)
    }

    /// Tells what it came to.
    fn end(&self, ends: &[Status], stopped: bool) -> Result<ExitCode, Fault> {
        let seen = self.show.seen();
        if let Some(how) = seen.fates.never_started() {
            return Err(Fault::new("the function does not start").at(how).help(
                "see its output above; fix what it names, or check --function, --bin and --env",
            ));
        }
        let mut verdict = seen.fates.verdict(ends);
        drop(seen);
        let mut nothing = Vec::new();
        if self.args.once && !stopped {
            let why = |status| nothing::why(status, self.args.group());
            nothing.extend(ends.iter().filter_map(why));
        }
        if !nothing.is_empty() {
            verdict = verdict.max(Verdict::NotDone);
        }
        if self.args.once && stopped {
            verdict = Verdict::Interrupted;
        } else if stopped && ends.iter().any(|status| status.lag() != Some(0)) {
            // Such a run ends no other way, so the stop is no fault; but not all is done.
            verdict = verdict.max(Verdict::NotDone);
        }
        self.show.ended(&End {
            verdict,
            nothing: &nothing,
        })?;
        Ok(ExitCode::from(verdict.exit_code()))
    }

    /// Writes the records, and sees that a broker of our own has them all.
    async fn fill(&self) -> Result<usize, Fault> {
        let Some(first) = self.wanted.first() else {
            return Ok(0);
        };
        // A producer that is not let in would try for minutes.
        connect::reach(self.cluster, &first.topic).await?;
        let producer = Producer::new(self.cluster).map_err(|error| failed::kafka(&error))?;
        let produced = produce::produce(&producer, self.wanted).await?;
        if let Some(broker) = self.broker {
            tokio::task::block_in_place(|| broker::check(broker))?;
        }
        Ok(produced)
    }

    async fn driver(
        &self,
        configuration: &Configuration,
        function: &Function,
    ) -> Result<Driver, Fault> {
        let (args, cluster) = (self.args, self.cluster);
        let mut configuration = configuration.clone();
        configuration.function_arn = function.identity().arn();
        let mut driver = Driver::new(cluster.clone(), configuration.clone(), function.clone())
            .timeout(args.timeout.unwrap_or(TIMEOUT))
            .pollers(pollers(&configuration, cluster, self.show).await?);
        if args.bootstrap.is_none() {
            driver = driver.alone();
        }
        if args.once {
            driver = driver.until_caught_up();
        }
        let driver = registry::add(driver, &configuration, &args.settings.schemas)?;
        destination::add(driver, &configuration, cluster)
    }
}

/// The function with its environment and a place for its logs.
fn dressed(function: Function, env: &[(String, String)], show: &Arc<Show>) -> Function {
    let measures = measured::setting(env).into_iter();
    let function = measures.fold(function, |function, (name, value)| {
        function.env(name, value)
    });
    let function = env.iter().fold(function, |function, (name, value)| {
        function.env(name, value)
    });
    function.logs(show.logs())
}

/// A task that ends with its owner.
struct AbortOnDrop(JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// As many pollers as are set, but none without a partition: Lambda runs no more either.
async fn pollers(
    configuration: &Configuration,
    cluster: &Cluster,
    show: &Show,
) -> Result<u32, Fault> {
    let wanted = *configuration.pollers(usize::MAX).end();
    if wanted == 1 {
        return Ok(1);
    }
    let (cluster, topic) = (cluster.clone(), configuration.topic.clone());
    let asked = tokio::task::spawn_blocking(move || cluster.partitions(&topic));
    let partitions = asked
        .await
        .map_err(|error| Fault::from_error(&error))?
        .map_err(|error| failed::kafka(&error))?
        .len();
    let pollers = *configuration.pollers(partitions).end();
    if pollers < wanted {
        let (topic, partitions) = (&configuration.topic, lines::count(partitions, "partition"));
        let text = format!("{topic} has {partitions}: {pollers} of {wanted} run, as on Lambda");
        show.remark("pollers", &text);
    }
    Ok(u32::try_from(pollers).unwrap_or(1))
}
