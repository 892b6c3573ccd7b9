/** Style sheets are built by the bundler; importing one gives nothing. */
declare module "*.css";
