//! What is not noticed, and why it need not be.

use crate::testing::Removal;

/// Removals that no test notices, each with the argument why what is left implies it.
const IMPLIED: &[(Removal, &str)] = &[];

/// Returns why the rest implies what this takes out, if it does.
pub fn reason(removal: Removal) -> Option<&'static str> {
    let mut reasons = IMPLIED.iter();
    reasons.find(|(of, _)| *of == removal).map(|(_, why)| *why)
}
