//! The conformance suite, for each connector against its sandbox system.

mod common;

mod dataverse {
    dwmap_connect::conformance_tests!(crate::common::bed::dataverse());
}

mod finops {
    dwmap_connect::conformance_tests!(crate::common::bed::finops());
}
