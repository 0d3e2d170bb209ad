// Made by scripts/build-console.
[
    Asset {
        name: "console-2QRUDMHU.css",
        media: "text/css; charset=utf-8",
        etag: "\"f5610299ad4e06f9\"",
        is_hashed: true,
        bytes: include_bytes!("console-2QRUDMHU.css"),
    },
    Asset {
        name: "console-46AS2NDQ.js",
        media: "text/javascript; charset=utf-8",
        etag: "\"94a1307d31f8d72e\"",
        is_hashed: true,
        bytes: include_bytes!("console-46AS2NDQ.js"),
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
        etag: "\"95455f2fef53a18d\"",
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
