//! What models reach on the sets that our own generators make; their bytes are held in `tests/cases/sets.rs`.

mod support;

use assay::recipe::Recipe;
use support::lab::Lab;

/// Share of the test rows that a family's default answers rightly after so many epochs.
fn reached(set: &str, family: &str, epochs: u32) -> f64 {
    let mut recipe = Recipe::default_for(set, family);
    recipe.training.epochs = epochs;
    let accuracy = Lab::new(&recipe).trained_accuracy();
    println!("{family} on {set} after {epochs} epochs: {accuracy:.4}");
    accuracy
}

/// 64 % of the squares are empty, and half of the test is played with pieces and a board that training never saw.
#[test]
fn lenet_learns_the_chess_pieces() {
    let accuracy = reached("chess", "lenet", 3);
    assert!(accuracy > 0.75, "{accuracy}");
}

/// A fifth would be right by guessing; the machines that test are not those that train.
#[test]
fn every_family_learns_the_vibrations_of_machines_it_never_saw() {
    for (family, epochs, wanted) in [
        ("lenet", 6, 0.8),
        ("mlp", 6, 0.4),
        ("resnet", 2, 0.8),
        ("mobilenet", 3, 0.6),
        ("vit", 3, 0.4),
        ("mixer", 3, 0.4),
    ] {
        let accuracy = reached("vibration", family, epochs);
        assert!(accuracy > wanted, "{family}: {accuracy}");
    }
}
