// Made by scripts/build-console.
[
    Asset {
        name: "console-ASK7CSJQ.js",
        media: "text/javascript; charset=utf-8",
        is_hashed: true,
        plain: Coded { etag: "\"ef2b7b09b1acac99\"", bytes: include_bytes!("console-ASK7CSJQ.js") },
        gzip: Coded { etag: "\"ef2b7b09b1acac99-gzip\"", bytes: include_bytes!("console-ASK7CSJQ.js.gz") },
    },
    Asset {
        name: "console-D2K4IUYO.css",
        media: "text/css; charset=utf-8",
        is_hashed: true,
        plain: Coded { etag: "\"e06b5dce21db1147\"", bytes: include_bytes!("console-D2K4IUYO.css") },
        gzip: Coded { etag: "\"e06b5dce21db1147-gzip\"", bytes: include_bytes!("console-D2K4IUYO.css.gz") },
    },
    Asset {
        name: "icon.svg",
        media: "image/svg+xml",
        is_hashed: false,
        plain: Coded { etag: "\"2211d8d35067457c\"", bytes: include_bytes!("icon.svg") },
        gzip: Coded { etag: "\"2211d8d35067457c-gzip\"", bytes: include_bytes!("icon.svg.gz") },
    },
    Asset {
        name: "index.html",
        media: "text/html; charset=utf-8",
        is_hashed: false,
        plain: Coded { etag: "\"e96379dc58e75973\"", bytes: include_bytes!("index.html") },
        gzip: Coded { etag: "\"e96379dc58e75973-gzip\"", bytes: include_bytes!("index.html.gz") },
    },
    Asset {
        name: "licences.txt",
        media: "text/plain; charset=utf-8",
        is_hashed: false,
        plain: Coded { etag: "\"12db83e4ca09b215\"", bytes: include_bytes!("licences.txt") },
        gzip: Coded { etag: "\"12db83e4ca09b215-gzip\"", bytes: include_bytes!("licences.txt.gz") },
    },
]
