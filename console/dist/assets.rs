// Made by scripts/build-console.
[
    Asset {
        name: "console-BNNUDHLZ.js",
        media: "text/javascript; charset=utf-8",
        etag: "\"a770b108d52757f9\"",
        is_hashed: true,
        bytes: include_bytes!("console-BNNUDHLZ.js"),
    },
    Asset {
        name: "console-JP4ZWVY3.css",
        media: "text/css; charset=utf-8",
        etag: "\"9ccf529a9f8f5579\"",
        is_hashed: true,
        bytes: include_bytes!("console-JP4ZWVY3.css"),
    },
    Asset {
        name: "icon.svg",
        media: "image/svg+xml",
        etag: "\"2211d8d35067457c\"",
        is_hashed: false,
        bytes: include_bytes!("icon.svg"),
    },
    Asset {
        name: "index.html",
        media: "text/html; charset=utf-8",
        etag: "\"e3cc3dc1c6d05165\"",
        is_hashed: false,
        bytes: include_bytes!("index.html"),
    },
    Asset {
        name: "licences.txt",
        media: "text/plain; charset=utf-8",
        etag: "\"12db83e4ca09b215\"",
        is_hashed: false,
        bytes: include_bytes!("licences.txt"),
    },
]
