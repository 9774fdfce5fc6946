use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use super::*;

/// A queue of numbers, the odd ones heavy, whose replies are the same numbers.
type Numbers = Queue<u32, u32, &'static str>;

fn numbers() -> Numbers {
    Queue::new(Some("clone"))
}

fn take(queue: &Numbers, turn: Turn) -> Option<Vec<u32>> {
    queue.take(turn, &mut Some("clone"), 2, |n| n % 2 == 1)
}

fn fill(queue: &Numbers, numbers: &[u32]) -> Vec<Option<Turn>> {
    numbers.iter().map(|n| queue.add(*n, *n)).collect()
}

#[test]
fn the_first_to_ask_starts_the_only_worker() {
    let queue = numbers();
    let started = fill(&queue, &[1, 2, 3]);
    assert_eq!(started, [Some(Turn(1)), None, None]);
    assert_eq!(queue.turn(), Some(Turn(1)));
}

#[test]
fn a_round_takes_all_that_is_light_and_so_many_that_are_heavy() {
    let queue = numbers();
    let turn = fill(&queue, &[1, 3, 2, 5, 7, 4])[0].unwrap();
    assert_eq!(queue.take_kept(turn), Some("clone"));
    assert_eq!(take(&queue, turn), Some(vec![1, 3, 2, 4]));
    assert_eq!(queue.finish(turn), [1, 3, 2, 4]);
    fill(&queue, &[6]);
    assert_eq!(take(&queue, turn), Some(vec![5, 7, 6]));
    assert_eq!(queue.finish(turn), [5, 7, 6]);
    assert_eq!(take(&queue, turn), None);
    assert_eq!(queue.turn(), None);
    let next = queue.add(9, 9).unwrap();
    assert_eq!(queue.take_kept(next), Some("clone"));
}

#[test]
fn a_worker_that_is_given_up_answers_nobody_and_another_serves_who_waits() {
    let queue = numbers();
    let hung = fill(&queue, &[1])[0].unwrap();
    assert_eq!(queue.take_kept(hung), Some("clone"));
    assert_eq!(take(&queue, hung), Some(vec![1]));
    fill(&queue, &[2]);
    let (left, next) = queue.give_up(hung);
    assert_eq!((left, next), (vec![1], Some(Turn(2))));
    let next = next.unwrap();
    assert_eq!(queue.take_kept(next), None);
    assert_eq!(take(&queue, next), Some(vec![2]));
    assert_eq!(queue.finish(hung), Vec::<u32>::new());
    assert_eq!(take(&queue, hung), None);
    assert_eq!(queue.give_up(hung), (vec![], None));
    assert_eq!(queue.finish(next), [2]);
    assert_eq!(take(&queue, next), None);
}

#[test]
fn a_worker_that_is_given_up_while_nobody_waits_has_no_successor() {
    let queue = numbers();
    let hung = fill(&queue, &[1])[0].unwrap();
    take(&queue, hung);
    assert_eq!(queue.give_up(hung), (vec![1], None));
    assert_eq!(queue.add(2, 2), Some(Turn(2)));
}

#[test]
fn a_worker_that_cannot_be_started_keeps_nobody_waiting_and_leaves_the_clone() {
    let queue = numbers();
    let turn = fill(&queue, &[1, 2])[0].unwrap();
    assert_eq!(queue.abandon(turn), [1, 2]);
    assert_eq!((queue.turn(), queue.abandon(turn)), (None, vec![]));
    let next = queue.add(3, 3).unwrap();
    assert_eq!(queue.take_kept(next), Some("clone"));
    assert_eq!(take(&queue, next), Some(vec![3]));
}

/// Looks ahead for odd numbers on a thread of its own, and says each time when it has looked at one.
fn look(
    queue: &Arc<Numbers>,
    turn: Turn,
    n: usize,
    is_over: &Arc<AtomicBool>,
) -> [Receiver<Option<u32>>; 2] {
    let (queue, is_over) = (Arc::clone(queue), Arc::clone(is_over));
    let ((looks, looking), (ends, ended)) = (mpsc::channel(), mpsc::channel());
    thread::spawn(move || {
        let found = queue.look_ahead(turn, n, &is_over, |n| {
            looks.send(Some(*n)).unwrap();
            (n % 2 == 1).then_some(*n)
        });
        ends.send(found).unwrap();
    });
    [looking, ended]
}

fn end(ended: &Receiver<Option<u32>>) -> Option<u32> {
    ended.recv_timeout(Duration::from_secs(60)).expect("whoever looks ahead is not woken")
}

#[test]
fn a_look_ahead_sees_in_its_order_what_the_next_round_takes() {
    let queue = Arc::new(numbers());
    let turn = fill(&queue, &[1, 3, 5])[0].unwrap();
    assert_eq!(take(&queue, turn), Some(vec![1, 3]));
    fill(&queue, &[2, 7, 9]);
    let seen = [0, 1, 2].map(|n| {
        let [_looking, ended] = look(&queue, turn, n, &Arc::default());
        end(&ended)
    });
    assert_eq!(seen, [Some(5), Some(7), Some(9)]);
    queue.finish(turn);
    assert_eq!(take(&queue, turn), Some(vec![5, 2, 7]));
}

/// Does something while another thread looks ahead in vain, and returns what that one gets then.
fn while_looking(act: impl FnOnce(&Numbers, Turn, &AtomicBool)) -> Option<u32> {
    let (queue, is_over) = (Arc::new(numbers()), Arc::default());
    let turn = fill(&queue, &[1])[0].unwrap();
    take(&queue, turn);
    fill(&queue, &[2]);
    let [looking, ended] = look(&queue, turn, 0, &is_over);
    // It has the queue now, and whoever acts gets that when the wait has begun.
    assert_eq!(end(&looking), Some(2));
    act(&queue, turn, &is_over);
    end(&ended)
}

#[test]
fn a_look_ahead_waits_for_what_comes() {
    assert_eq!(while_looking(|queue, _, _| drop(fill(queue, &[4, 3]))), Some(3));
}

#[test]
fn a_look_ahead_ends_with_its_wait() {
    assert_eq!(while_looking(|queue, _, is_over| queue.end_wait(is_over)), None);
}

#[test]
fn a_look_ahead_ends_with_its_turn() {
    assert_eq!(while_looking(|queue, turn, _| drop(queue.give_up(turn))), None);
    let queue = Arc::new(numbers());
    let turn = fill(&queue, &[1])[0].unwrap();
    take(&queue, turn);
    queue.give_up(turn);
    fill(&queue, &[3]);
    let [_looking, ended] = look(&queue, turn, 0, &Arc::default());
    assert_eq!(end(&ended), None, "what comes after it is the next one's");
}
