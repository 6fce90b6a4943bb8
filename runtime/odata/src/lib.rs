//! OData protocol: literals, URLs, multipart, error JSON.
