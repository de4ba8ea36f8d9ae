//! The execution environments of one function: one for each invocation under way, and those that wait for the next.

use crate::environment::Environment;
use crate::function::Function;

#[derive(Debug)]
pub(super) struct Pool {
    function: Function,
    /// Which function its environments run: a swap makes those of the one before leave.
    generation: u64,
    idle: Vec<Environment>,
    open: usize,
}

/// An environment that is out for an invocation.
#[derive(Debug)]
pub(super) struct Borrowed {
    pub(super) environment: Environment,
    generation: u64,
}

impl Pool {
    pub(super) fn new(function: Function) -> Self {
        Self {
            function,
            generation: 0,
            idle: Vec::new(),
            open: 0,
        }
    }

    /// The one that was used last, or a new one: as Lambda does, so that load that sinks leaves some to end.
    pub(super) fn take(&mut self) -> Borrowed {
        let environment = self.idle.pop().unwrap_or_else(|| {
            self.open += 1;
            Environment::new(self.function.clone())
        });
        Borrowed {
            environment,
            generation: self.generation,
        }
    }

    /// Some: it runs a function that was swapped meanwhile, and is to be stopped.
    pub(super) fn give_back(&mut self, borrowed: Borrowed) -> Option<Environment> {
        if borrowed.generation == self.generation {
            self.idle.push(borrowed.environment);
            return None;
        }
        self.open -= 1;
        Some(borrowed.environment)
    }

    /// Another function from the next invocation on. Those that wait with the one before are to be stopped.
    pub(super) fn swap(&mut self, function: Function) -> Vec<Environment> {
        self.function = function;
        self.generation += 1;
        self.open -= self.idle.len();
        std::mem::take(&mut self.idle)
    }

    /// How many there are, busy ones included.
    pub(super) fn open(&self) -> usize {
        self.open
    }

    pub(super) async fn stop(self) {
        for environment in self.idle {
            environment.stop().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Pool;
    use crate::function::Function;

    fn program(environment: &crate::environment::Environment) -> String {
        environment.function().program()
    }

    #[test]
    fn an_idle_environment_is_taken_before_a_new_one_is_made() {
        let mut pool = Pool::new(Function::new("one"));
        let (first, second) = (pool.take(), pool.take());
        assert!(pool.give_back(first).is_none());

        let third = pool.take();

        assert_eq!(pool.open(), 2);
        assert!(pool.give_back(second).is_none());
        assert!(pool.give_back(third).is_none());
        assert_eq!(pool.open(), 2);
    }

    #[test]
    fn after_a_swap_no_environment_of_the_former_function_is_used() {
        let mut pool = Pool::new(Function::new("one"));
        let (busy, idle) = (pool.take(), pool.take());
        assert!(pool.give_back(idle).is_none());

        let stopped = pool.swap(Function::new("two"));
        let returned = pool.give_back(busy);
        let next = pool.take();

        assert_eq!(stopped.iter().map(program).collect::<Vec<_>>(), ["one"]);
        assert_eq!(returned.as_ref().map(program), Some("one".to_owned()));
        assert_eq!(program(&next.environment), "two");
        assert_eq!(pool.open(), 1);
    }
}
