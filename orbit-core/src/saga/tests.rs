use super::{Fact, Failure, Move, Saga, StepRef};
use crate::chart::form::ChartForm;
use crate::port::EventLog as _;
use crate::request::{Ask, Request, Upload};
use crate::testing::{World, run, samples};
use crate::{Accepted, ActionId, Until};

fn act(world: &World, ask: Ask) -> ActionId {
    let orbit = world.orbit("a");
    let request = Request { image: samples::image_id(7, 1), ask };
    let receives = matches!(request.ask, Ask::Upload(_));
    let driven = async {
        let Ok(Accepted::New(id, _)) = orbit.begin(request, samples::actor(), None).await else {
            return None;
        };
        orbit.drive(&id, Until::Planned).await.ok()?;
        if receives {
            orbit.receive(&id, samples::body(&samples::archive())).await.ok()?;
        }
        orbit.drive(&id, Until::Ended).await.ok()?;
        Some(id)
    };
    run(driven).expect("nothing is broken")
}

fn upload() -> Ask {
    let labels = samples::image(7, 1).labels;
    let (form, metadata) = (ChartForm::default(), serde_json::Value::Null);
    Ask::Upload(Box::new(Upload { labels, form, names_uid: false, metadata }))
}

/// Returns the facts of an upload, which plans twice, and of a transfer of what it stored.
fn histories() -> Vec<Vec<Fact>> {
    let world = World::new();
    let actions =
        [act(&world, upload()), act(&world, Ask::Transfer { from: None, expected: None })];
    let facts = |id| {
        let history = run(world.load(id)).unwrap().unwrap();
        history.entries.into_iter().map(|entry| entry.fact).collect()
    };
    actions.iter().map(facts).collect()
}

fn failure() -> Failure {
    let (error_type, message) = ("storage-refused".to_owned(), "no".to_owned());
    Failure { error_type, message, refused: false }
}

#[test]
fn replaying_facts_is_recording_them_one_by_one() {
    for facts in histories() {
        let mut saga = Saga::default();
        for n in 0..facts.len() {
            assert_eq!(Saga::replay(&facts[..n]).unwrap(), saga);
            saga.record(&facts[n]).unwrap();
        }
        assert!(matches!(saga.next(), Move::Over(_)));
    }
}

#[test]
fn a_fact_out_of_its_place_is_refused_and_changes_nothing() {
    for facts in histories() {
        for n in 0..facts.len() {
            let before = Saga::replay(&facts[..n]).unwrap();
            for (place, fact) in facts.iter().enumerate().filter(|(place, _)| *place != n) {
                let mut saga = before.clone();
                // A step may be tried without having been announced; nothing else may be skipped.
                let unannounced = place == n + 1 && matches!(facts[n], Fact::Started(_));
                let announced_again = place + 1 == n && matches!(fact, Fact::Started(_));
                // The whole plan of an upload would do as its first one.
                let whole_plan = n == 0 && matches!(fact, Fact::Planned(_));
                let fits = unannounced || announced_again || whole_plan;
                let result = saga.record(fact);
                assert_eq!(result.is_ok(), fits, "{n}: {}", fact.name());
                if result.is_err() {
                    assert_eq!(saga, before);
                }
            }
        }
    }
}

#[test]
fn a_refusal_is_taken_up_to_the_decision_and_undoes_every_step_that_was_tried() {
    for facts in histories() {
        let decided =
            facts.iter().position(|fact| matches!(fact, Fact::Done { step: StepRef::Decide, .. }));
        let decided = decided.unwrap();
        for n in 0..facts.len() {
            let mut saga = Saga::replay(&facts[..n]).unwrap();
            let tried = facts[..n]
                .iter()
                .filter(|fact| matches!(fact, Fact::Done { step: StepRef::Prepare(_), .. }));
            let n_tried = tried.count();
            let refused = saga.record(&Fact::Refused(failure())).is_ok();
            assert_eq!(refused, n <= decided, "{n}");
            let mut n_undone = 0;
            while let Move::Undo(step_index, _) = saga.next() {
                saga.record(&Fact::Undone { step_index }).unwrap();
                n_undone += 1;
            }
            if refused {
                assert!(n_undone >= n_tried, "{n}: {n_undone} of {n_tried} steps are undone");
                assert!(matches!(saga.next(), Move::End(_)));
            }
        }
    }
}
