use super::*;
use proptest::prelude::*;

/// As the Dataverse documentation prints it: bare line feeds are tolerated, names differ in case.
#[test]
fn reads_the_documented_batch() {
    let body = "--batch_80dd1615\nContent-Type: multipart/mixed; boundary=\"changeset_01\"\n\n\
        --changeset_01\nContent-Type: application/http\nContent-Transfer-Encoding: binary\nContent-ID: 1\n\n\
        POST /api/data/v9.2/tasks HTTP/1.1\nContent-Type: application/json; type=entry\n\n{\"subject\":\"a\"}\n\
        --changeset_01--\n--batch_80dd1615\ncontent-type: application/http\n\n\
        GET /api/data/v9.2/accounts HTTP/1.1\nAccept: application/json\n\n--batch_80dd1615--\n";
    let parts = parse_requests(
        "multipart/mixed; boundary=batch_80dd1615",
        &Bytes::from(body),
    )
    .unwrap();
    let Part::ChangeSet(set) = &parts[0] else {
        panic!("a change set comes first")
    };
    assert_eq!(
        (set[0].content_id.as_deref(), &set[0].body[..]),
        (Some("1"), &b"{\"subject\":\"a\"}"[..])
    );
    let Part::Single(get) = &parts[1] else {
        panic!("then a single request")
    };
    assert_eq!(
        (get.method.as_str(), get.header_value("accept")),
        ("GET", Some("application/json"))
    );
}

#[test]
fn says_what_is_wrong() {
    let cut = parse_responses(
        "multipart/mixed; boundary=b",
        &Bytes::from_static(b"--b\r\n\r\nHTTP/1.1 200 OK\r\n"),
    );
    assert_eq!(cut, Err(BatchError::Truncated("b".to_owned())));
    let page = parse_responses("text/html", &Bytes::new());
    assert_eq!(page, Err(BatchError::ContentType("text/html".to_owned())));
    let wrong = parse_responses(
        "multipart/mixed; boundary=b",
        &Bytes::from_static(b"--b\r\n\r\nnonsense\r\n\r\n--b--"),
    );
    assert!(
        matches!(wrong, Err(BatchError::Part { index: 1, .. })),
        "{wrong:?}"
    );
}

#[test]
fn a_body_that_holds_the_boundary_gets_another_one() {
    let sly = Request::new("POST", "x").json("\r\n--batch_0--\r\n--changeset_0--");
    let parts = [Part::ChangeSet(vec![
        sly.header("Content-Type", "text/plain"),
    ])];
    let rendered = render_requests(&parts);
    assert_eq!(
        parse_requests(&rendered.content_type, &rendered.body.into()).unwrap(),
        parts
    );
}

fn bodies() -> impl Strategy<Value = Bytes> {
    // JSON never ends in a line break, so a body that does isn't promised to keep it.
    proptest::collection::vec(any::<u8>(), 0..60).prop_map(|mut body| {
        while body.last().is_some_and(u8::is_ascii_whitespace) {
            body.pop();
        }
        Bytes::from(body)
    })
}

fn requests() -> impl Strategy<Value = Request> {
    (
        "(GET|POST|PATCH)",
        "[a-z$(),='/]{1,20}",
        proptest::option::of("[A-Za-z \"/]{0,10}"),
        bodies(),
    )
        .prop_map(|(method, url, etag, body)| {
            let mut request = Request::new(method, url)
                .header("Content-Type", "application/json")
                .json(body);
            if let Some(etag) = etag {
                request = request.header("If-Match", etag.trim());
            }
            request
        })
}

fn parts() -> impl Strategy<Value = Vec<Part<Request>>> {
    let set = proptest::collection::vec(requests(), 1..4).prop_map(|mut requests| {
        for (at, request) in requests.iter_mut().enumerate() {
            request.content_id = Some((at + 1).to_string());
        }
        Part::ChangeSet(requests)
    });
    proptest::collection::vec(prop_oneof![requests().prop_map(Part::Single), set], 0..5)
}

proptest! {
    #[test]
    fn requests_round_trip(parts in parts()) {
        let rendered = render_requests(&parts);
        prop_assert_eq!(parse_requests(&rendered.content_type, &rendered.body.into()), Ok(parts));
    }

    #[test]
    fn responses_round_trip(status in 100_u16..600, id in proptest::option::of("[0-9]{1,3}"), body in bodies()) {
        let mut response = Response::new(status);
        response.headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
        response.body = body;
        response.content_id = id;
        let parts = vec![Part::Single(response.clone()), Part::ChangeSet(vec![response])];
        let rendered = render_responses(&parts);
        prop_assert_eq!(parse_responses(&rendered.content_type, &rendered.body.into()), Ok(parts));
    }

    #[test]
    fn any_bytes_are_read_or_refused(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse_requests("multipart/mixed; boundary=b", &Bytes::from(body.clone()));
        let framed = [b"--b\r\n".as_slice(), &body, b"\r\n--b--\r\n"].concat();
        let _ = parse_requests("multipart/mixed; boundary=b", &Bytes::from(framed));
    }
}
