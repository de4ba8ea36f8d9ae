use super::open;

#[test]
fn the_number_of_open_records_is_read_as_the_framework_writes_it() {
    let message = "5 failed and 2 unreached of 30 records; the first is orders-0@3 (handler.failed): Lambda sends the whole batch again";

    assert_eq!(open(message), Some(7));
    assert_eq!(open("5 failed"), None);
    assert_eq!(open("some failed and 2 unreached of 30"), None);
}
