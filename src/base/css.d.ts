/** CSS files are imported as text: `with { type: "text" }`. */
declare module "*.css" {
  const text: string;
  export = text;
}
