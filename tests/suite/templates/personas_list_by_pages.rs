use eyas::templates::{Catalogue, catalogue::Filter};

#[test]
fn in_the_order_of_ids_without_gap_or_double() {
    let home = tempfile::tempdir().unwrap();
    let catalogue = Catalogue::new(home.path());
    catalogue
        .create("zebra", None, |p| p.traits = vec!["Striped".into()])
        .unwrap();
    let mut ids = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let filter = Filter {
            cursor: cursor.as_deref(),
            limit: Some(6),
            ..Filter::default()
        };
        let page = catalogue.list(&filter).unwrap();
        assert!(page.items.len() <= 6);
        ids.extend(page.items.into_iter().map(|persona| persona.id));
        match page.next_cursor {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    assert_eq!(ids.len(), 21);
    assert!(ids.is_sorted() && ids.iter().any(|id| id == "zebra"));
    let find = |query| {
        let filter = Filter {
            query: Some(query),
            ..Filter::default()
        };
        catalogue
            .list(&filter)
            .unwrap()
            .items
            .into_iter()
            .map(|p| p.id)
            .collect::<Vec<_>>()
    };
    assert_eq!(find("STRIPED zeb"), ["zebra"]);
    assert!(find("nothing at all like this").is_empty());
    let quality = Filter {
        category: Some("quality"),
        ..Filter::default()
    };
    assert_eq!(catalogue.list(&quality).unwrap().items.len(), 3);
    assert!(
        catalogue
            .list(&Filter {
                cursor: Some("../x"),
                ..Filter::default()
            })
            .is_err()
    );
}
