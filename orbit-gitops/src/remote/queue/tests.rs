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
