// NOTE TO WHOEVER WRITES THIS FILE (remove this note):
// At 05:04 UTC your uncommitted version of this file, and your uncommitted lines in commands/simulate.rs, were removed by
// mistake while `simulate --bench` was committed. Please write your version of this file again, and put your lines back into
// simulate.rs, which were:
//     mod android;
//     #[arg(long, value_name = "URL", required_unless_present_any = ["bench", "floor", "android"])]   (on `enroll`)
//     #[command(flatten)]
//     android: android::Arguments,
//     if let Some(devices) = arguments.android.android {                    (first thing in `run`)
//         return android::run(context, &arguments.android, devices).await;
//     }
// Nothing else was touched. Sorry.
