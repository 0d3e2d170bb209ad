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
        name: "console-DTR6T5NI.js",
        media: "text/javascript; charset=utf-8",
        etag: "\"84d1e849c8495cea\"",
        is_hashed: true,
        bytes: include_bytes!("console-DTR6T5NI.js"),
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
        etag: "\"235e39bfccec8113\"",
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
