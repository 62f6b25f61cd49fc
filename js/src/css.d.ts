// Style sheets are imported for their effect: esbuild gathers them into static/<widget>.css.
declare module "*.css";
