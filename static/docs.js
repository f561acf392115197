// The reader of the API document: Swagger UI from our own files, nothing from elsewhere.

window.SwaggerUIBundle({
  url: "/api/openapi.json",
  dom_id: "#reader",
  deepLinking: true,
  docExpansion: "none",
  filter: true,
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  persistAuthorization: false,
  validatorUrl: null,
  presets: [window.SwaggerUIBundle.presets.apis],
});
