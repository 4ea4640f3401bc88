//! Something that many calls want to use across waits, one after the other in the order in which they asked; for callers
//! whose language has no borrowing.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::task::{Poll, Waker};

/// The thing, and those who wait for it.
pub struct Turns<T>(RefCell<State<T>>);

struct State<T> {
    /// There unless somebody uses it or it is closed.
    thing: Option<T>,
    is_closed: bool,
    /// Who asked and is not done, in order; the first may use it.
    asked: VecDeque<u64>,
    next: u64,
    waiting: Vec<Waker>,
}

impl<T> Turns<T> {
    /// A thing that nobody uses yet.
    #[must_use]
    pub fn new(thing: T) -> Self {
        Self(RefCell::new(State {
            thing: Some(thing),
            is_closed: false,
            asked: VecDeque::new(),
            next: 0,
            waiting: Vec::new(),
        }))
    }

    /// Does something with the thing once everybody who asked before is done. `None` where it was closed before. A future
    /// that is dropped while it uses the thing closes it: nobody knows what it has left of it.
    pub async fn with<R>(&self, work: impl AsyncFnOnce(&mut T) -> R) -> Option<R> {
        let place = Place::at_the_end(self);
        let mut thing = place.thing().await?;
        let done = work(&mut thing).await;
        place.give_back(thing);
        Some(done)
    }

    /// Drops the thing, as soon as the call that uses it is done; whoever waits or asks later gets none.
    pub fn close(&self) {
        let thing = {
            let mut state = self.0.borrow_mut();
            state.is_closed = true;
            state.thing.take()
        };
        drop(thing);
        self.wake();
    }

    /// Lets everybody look who is next, with nothing borrowed: they may come back at once.
    fn wake(&self) {
        let waiting = std::mem::take(&mut self.0.borrow_mut().waiting);
        waiting.into_iter().for_each(Waker::wake);
    }
}

/// A place in the queue, until it is dropped.
struct Place<'a, T> {
    turns: &'a Turns<T>,
    number: u64,
}

impl<'a, T> Place<'a, T> {
    fn at_the_end(turns: &'a Turns<T>) -> Self {
        let mut state = turns.0.borrow_mut();
        let number = state.next;
        state.next += 1;
        state.asked.push_back(number);
        Self { turns, number }
    }

    /// Waits for the thing.
    async fn thing(&self) -> Option<T> {
        std::future::poll_fn(|context| {
            let mut state = self.turns.0.borrow_mut();
            if state.is_closed {
                return Poll::Ready(None);
            }
            let is_first = state.asked.front() == Some(&self.number);
            match state.thing.take_if(|_| is_first) {
                Some(thing) => Poll::Ready(Some(thing)),
                None => {
                    state.waiting.push(context.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }

    fn give_back(self, thing: T) {
        let mut state = self.turns.0.borrow_mut();
        if !state.is_closed {
            state.thing = Some(thing);
        }
    }
}

impl<T> Drop for Place<'_, T> {
    fn drop(&mut self) {
        {
            let mut state = self.turns.0.borrow_mut();
            let was_first = state.asked.front() == Some(&self.number);
            state.asked.retain(|&number| number != self.number);
            // It was using the thing and did not give it back.
            state.is_closed |= was_first && state.thing.is_none();
        }
        self.turns.wake();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::{Pin, pin};
    use std::rc::Rc;
    use std::task::Context;

    fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    /// Ready the second time that it is asked.
    async fn later() {
        let mut is_ready = false;
        std::future::poll_fn(|_| {
            if std::mem::replace(&mut is_ready, true) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }

    async fn add(turns: &Turns<Vec<u32>>, number: u32) -> Option<usize> {
        let add = async |list: &mut Vec<u32>| {
            later().await;
            list.push(number);
            list.len()
        };
        turns.with(add).await
    }

    #[test]
    fn calls_run_one_after_the_other_in_the_order_in_which_they_asked() {
        let turns = Turns::new(Vec::new());
        let mut first = pin!(add(&turns, 1));
        let mut second = pin!(add(&turns, 2));
        let mut third = pin!(add(&turns, 3));
        assert!(poll(first.as_mut()).is_pending(), "waits in its own work");
        assert!(poll(second.as_mut()).is_pending(), "waits for the first");
        assert!(poll(third.as_mut()).is_pending(), "waits for the second");
        assert!(
            poll(third.as_mut()).is_pending(),
            "however often it is asked"
        );
        assert_eq!(poll(first.as_mut()), Poll::Ready(Some(1)));
        assert!(
            poll(third.as_mut()).is_pending(),
            "the second comes first though it was not asked yet"
        );
        assert!(poll(second.as_mut()).is_pending());
        assert_eq!(poll(second.as_mut()), Poll::Ready(Some(2)));
        assert!(poll(third.as_mut()).is_pending());
        assert_eq!(poll(third.as_mut()), Poll::Ready(Some(3)));
        let mut all = pin!(turns.with(async |list| list.clone()));
        assert_eq!(poll(all.as_mut()), Poll::Ready(Some(vec![1, 2, 3])));
    }

    #[test]
    fn closing_lets_the_running_call_end_and_refuses_the_others() {
        let dropped = Rc::new(());
        let turns = Turns::new((Rc::clone(&dropped), 0));
        let mut running = pin!(turns.with(async |thing| {
            later().await;
            thing.1 += 1;
            thing.1
        }));
        assert!(poll(running.as_mut()).is_pending());
        let mut waiting = pin!(turns.with(async |thing| thing.1));
        assert!(poll(waiting.as_mut()).is_pending());
        turns.close();
        assert_eq!(Rc::strong_count(&dropped), 2, "still in use");
        assert_eq!(poll(waiting.as_mut()), Poll::Ready(None));
        assert_eq!(poll(running.as_mut()), Poll::Ready(Some(1)));
        assert_eq!(Rc::strong_count(&dropped), 1, "gone with the last call");
        let mut later = pin!(turns.with(async |thing| thing.1));
        assert_eq!(poll(later.as_mut()), Poll::Ready(None));
    }

    #[test]
    fn a_call_that_is_given_up_lets_the_others_go_on() {
        let turns = Turns::new(Vec::new());
        let mut first = Box::pin(add(&turns, 1));
        let mut second = Box::pin(add(&turns, 2));
        let mut third = pin!(add(&turns, 3));
        assert!(poll(first.as_mut()).is_pending());
        assert!(poll(second.as_mut()).is_pending());
        assert!(poll(third.as_mut()).is_pending());
        drop(second);
        assert_eq!(poll(first.as_mut()), Poll::Ready(Some(1)));
        assert!(poll(third.as_mut()).is_pending());
        assert_eq!(poll(third.as_mut()), Poll::Ready(Some(2)));
        // One that was at work leaves the thing in a state that nobody knows.
        let mut fourth = Box::pin(add(&turns, 4));
        assert!(poll(fourth.as_mut()).is_pending());
        drop(fourth);
        let mut fifth = pin!(add(&turns, 5));
        assert_eq!(poll(fifth.as_mut()), Poll::Ready(None));
    }
}
