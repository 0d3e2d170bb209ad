// Made by scripts/build-console.
[
    Asset {
        name: "console-CZN7ZJY3.css",
        media: "text/css; charset=utf-8",
        etag: "\"e770e9bc03ad88d5\"",
        is_hashed: true,
        bytes: include_bytes!("console-CZN7ZJY3.css"),
    },
    Asset {
        name: "console-FOFJH4WK.js",
        media: "text/javascript; charset=utf-8",
        etag: "\"0d5829bf677aa9c8\"",
        is_hashed: true,
        bytes: include_bytes!("console-FOFJH4WK.js"),
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
        etag: "\"f36c2b7eddffa806\"",
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
