//! Labels over HTTP.

use reqwest::header;
use serde_json::json;

use crate::scene::{Records, Scene, equipment, vessel};

#[tokio::test(flavor = "multi_thread")]
async fn a_label_comes_as_svg_and_png_by_either_id_and_a_vessels_on_sheets() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let records = Records {
        vessels: vec![vessel("v-1", "9074729", "Nordic Star")],
        equipment: vec![
            equipment("e-1", "v-1", json!({"name": "Main engine"})),
            equipment("e-2", "v-1", json!({"code": "813.001", "name": "Fire pump", "qrCode": "ACME-000123"})),
            equipment("e-3", "v-1", json!({"code": "700.001", "name": "Gone"})),
        ],
        ..Records::default()
    };
    scene.sync(&records).await?;
    scene.world.execute("UPDATE equipment SET status = 'withdrawn' WHERE source_id = 'e-3'").await?;
    let own = scene.rows("SELECT id, qr_code FROM equipment WHERE source_id = 'e-2'").await.remove(0);
    assert_eq!(own["qr_code"], "ACME-000123");

    for id in ["e-2", own["id"].as_str().expect("an id")] {
        let svg = scene.get(&format!("/api/equipment/{id}/qr.svg")).send().await?.error_for_status()?;
        assert_eq!(svg.headers()[header::CONTENT_TYPE], "image/svg+xml");
        let svg = svg.text().await?;
        for text in ["Nordic Star", "IMO 9074729", "813.001 / 1", "Fire pump", "ACME-", "000123"] {
            assert!(svg.contains(text), "{text} in {svg}");
        }
        let png = scene.get(&format!("/api/equipment/{id}/qr.png")).send().await?.error_for_status()?;
        assert_eq!(png.headers()[header::CONTENT_TYPE], "image/png");
        assert_eq!(read(&png.bytes().await?), ["ACME-000123"]);
    }

    for id in ["v-1", "9074729"] {
        let page = scene.get(&format!("/api/vessels/{id}/labels.html?used=3")).send().await?;
        let page = page.error_for_status()?.text().await?;
        assert_eq!(page.matches("<g transform").count(), 2, "withdrawn equipment is left out");
        assert!(page.find("Main engine") < page.find("Fire pump"), "in the order of the codes");
    }

    let missing = scene.json(scene.get("/api/equipment/e-9/qr.png"), 404).await;
    assert_eq!(missing["code"], "equipment_not_found");
    assert_eq!(scene.json(scene.get("/api/vessels/9/labels.html"), 404).await["code"], "vessel_not_found");
    scene.json(scene.get("/api/vessels/v-1/labels.html?used=24"), 422).await;
    scene.json(scene.stranger("/api/equipment/e-1/qr.svg"), 401).await;
    scene.end().await;
    Ok(())
}

fn read(png: &[u8]) -> Vec<String> {
    let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().expect("a PNG");
    let mut dots = vec![0; reader.output_buffer_size().expect("it fits")];
    let info = reader.next_frame(&mut dots).expect("an image");
    let (width, height) = (info.width as usize, info.height as usize);
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| dots[y * width + x]);
    image.detect_grids().iter().map(|grid| grid.decode().expect("a symbol").1).collect()
}
