// Made by scripts/build-console.
[
    Asset {
        name: "console-C7ACZXZW.js",
        media: "text/javascript; charset=utf-8",
        etag: "\"0c9de7d9ddcf513e\"",
        is_hashed: true,
        bytes: include_bytes!("console-C7ACZXZW.js"),
    },
    Asset {
        name: "console-CZN7ZJY3.css",
        media: "text/css; charset=utf-8",
        etag: "\"e770e9bc03ad88d5\"",
        is_hashed: true,
        bytes: include_bytes!("console-CZN7ZJY3.css"),
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
        etag: "\"feacd0436e82c1c2\"",
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
