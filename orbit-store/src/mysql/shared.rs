//! The database as a store that processes share.

use async_trait::async_trait;
use orbit_core::port::PortError;
use serde_json::{Map, Value};
use sqlx::MySqlConnection;

use super::MySql;
use super::database::Work;
use super::fault::Stopped;
use super::{schema, setup};
use crate::shared::{SharedStore, Step};

#[async_trait]
impl SharedStore for MySql {
    async fn installation(&self) -> Result<Option<String>, PortError> {
        self.database.run_at_start(&Installation).await
    }

    async fn join(&self, installation: &str) -> Result<String, PortError> {
        self.database.run_at_start(&Join { installation }).await
    }

    async fn setup(&self) -> Result<Vec<Step>, PortError> {
        let steps = setup::setup(&self.database).await;
        steps.map_err(|stopped| stopped.told_at_start(self.database.url()))
    }

    async fn ready(&self) -> Result<(), PortError> {
        let check = schema::Check { url: self.database.url() };
        self.database.run_at_start(&check).await
    }

    fn template(&self) -> Map<String, Value> {
        Map::new()
    }
}

struct Installation;

#[async_trait]
impl Work for Installation {
    type Output = Option<String>;

    async fn run(&self, connection: &mut MySqlConnection) -> Result<Option<String>, Stopped> {
        let select = sqlx::query_scalar("SELECT id FROM installation");
        let id: Option<Vec<u8>> = select.fetch_optional(connection).await?;
        let id = id.map(String::from_utf8).transpose();
        id.map_err(|fault| sqlx::Error::decode(fault).into())
    }
}

struct Join<'a> {
    installation: &'a str,
}

#[async_trait]
impl Work for Join<'_> {
    type Output = String;

    async fn run(&self, connection: &mut MySqlConnection) -> Result<String, Stopped> {
        // Assigning its own value to a row that is there changes nothing; IGNORE would also ignore an
        // id that is too long.
        let insert = sqlx::query(
            "INSERT INTO installation (only_row, id) VALUES (1, ?)
             ON DUPLICATE KEY UPDATE only_row = only_row",
        );
        insert.bind(self.installation.as_bytes()).execute(&mut *connection).await?;
        let id = Installation.run(connection).await?;
        id.ok_or_else(|| sqlx::Error::RowNotFound.into())
    }
}
