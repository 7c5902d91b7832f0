"""Databases of tills, built anew with the tables, column names and types that the tills' own setups make.

uniCenta oPOS: its MySQL creation script, version 4.5. Chromis POS: its createdb change log. Odoo: the models of
its point of sale, as they stand in PostgreSQL. Only the tables and columns that a sale touches.
"""

UNICENTA = """
CREATE TABLE closedcash (money varchar(255) NOT NULL PRIMARY KEY, host varchar(255) NOT NULL,
  hostsequence int NOT NULL, datestart datetime NOT NULL, dateend datetime, nosales int NOT NULL DEFAULT 0);
CREATE TABLE products (id varchar(255) NOT NULL PRIMARY KEY, reference varchar(255) NOT NULL,
  code varchar(255) NOT NULL, name varchar(255) NOT NULL, pricebuy double NOT NULL, pricesell double NOT NULL,
  category varchar(255) NOT NULL, taxcat varchar(255) NOT NULL);
CREATE TABLE taxes (id varchar(255) NOT NULL PRIMARY KEY, name varchar(255) NOT NULL,
  category varchar(255) NOT NULL, rate double NOT NULL);
CREATE TABLE receipts (id varchar(255) NOT NULL PRIMARY KEY, money varchar(255) NOT NULL,
  datenew datetime NOT NULL, attributes mediumblob, person varchar(255));
CREATE TABLE tickets (id varchar(255) NOT NULL PRIMARY KEY, tickettype int NOT NULL DEFAULT 0,
  ticketid int NOT NULL, person varchar(255) NOT NULL, customer varchar(255), status int NOT NULL DEFAULT 0);
CREATE TABLE ticketlines (ticket varchar(255) NOT NULL, line int NOT NULL, product varchar(255),
  attributesetinstance_id varchar(255), units double NOT NULL, price double NOT NULL,
  taxid varchar(255) NOT NULL, attributes mediumblob, PRIMARY KEY (ticket, line));
CREATE TABLE payments (id varchar(255) NOT NULL PRIMARY KEY, receipt varchar(255) NOT NULL,
  payment varchar(255) NOT NULL, total double NOT NULL DEFAULT 0, tip double DEFAULT 0, transid varchar(255),
  notes varchar(255), tendered double, cardname varchar(255), voucher varchar(255));
INSERT INTO closedcash VALUES ('cash-1', 'TILL-1', 1, '2026-02-10 08:00:00', NULL, 0);
INSERT INTO products VALUES ('p-1', '1001', '4006381333931', 'Pen', 0.5, 1, 'c', 't');
INSERT INTO products VALUES ('p-2', '1002', '4006381333948', 'Ink', 2, 4.13, 'c', 't');
INSERT INTO taxes VALUES ('vat', 'VAT 21%', 't', 0.21);
"""

CHROMIS = (
    UNICENTA.replace("closedcash", "CLOSEDCASH")
    .replace("products", "PRODUCTS")
    .replace("TABLE taxes", "TABLE TAXES")
    .replace("INTO taxes", "INTO TAXES")
    .replace("receipts", "RECEIPTS")
    .replace("tickets", "TICKETS")
    .replace("ticketlines", "TICKETLINES")
    .replace("payments", "PAYMENTS")
    .replace("attributes mediumblob, PRIMARY", "attributes mediumblob, REFUNDQTY double DEFAULT 0, PRIMARY")
    .replace("tip double DEFAULT 0, ", "")
)

ODOO = """
CREATE TABLE pos_config (id serial PRIMARY KEY, name varchar NOT NULL);
CREATE TABLE pos_session (id serial PRIMARY KEY, config_id int NOT NULL, name varchar, state varchar);
CREATE TABLE product_product (id serial PRIMARY KEY, product_tmpl_id int NOT NULL, default_code varchar,
  barcode varchar);
CREATE TABLE pos_payment_method (id serial PRIMARY KEY, name jsonb NOT NULL, is_cash_count boolean);
CREATE TABLE pos_order (id serial PRIMARY KEY, name varchar NOT NULL, date_order timestamp, user_id int,
  session_id int NOT NULL, state varchar, pos_reference varchar, amount_total numeric NOT NULL,
  amount_tax numeric NOT NULL, write_date timestamp);
CREATE TABLE pos_order_line (id serial PRIMARY KEY, order_id int NOT NULL, product_id int NOT NULL,
  name varchar NOT NULL, qty numeric, price_unit numeric, discount numeric, price_subtotal numeric NOT NULL,
  price_subtotal_incl numeric NOT NULL, refunded_orderline_id int);
CREATE TABLE pos_payment (id serial PRIMARY KEY, pos_order_id int NOT NULL, payment_method_id int NOT NULL,
  amount numeric NOT NULL, is_change boolean, payment_date timestamp NOT NULL);
INSERT INTO pos_config VALUES (1, 'Main Shop');
INSERT INTO pos_session VALUES (1, 1, 'POS/0001', 'opened');
INSERT INTO product_product VALUES (1, 1, 'PEN', '4006381333931'), (2, 2, NULL, '4006381333948');
INSERT INTO pos_payment_method VALUES (1, '{"en_US": "Cash"}', true), (2, '{"en_US": "Card"}', false);
INSERT INTO pos_order VALUES
  (1, 'Shop/0001', '2026-02-10 14:30:00', 7, 1, 'paid', '26-1-000001', 13.31, 2.31, '2026-02-10 14:30:02.5'),
  (2, 'Shop/0002', '2026-02-10 14:40:00', 7, 1, 'draft', '26-1-000002', 5, 0, '2026-02-10 14:40:00'),
  (3, 'Shop/0001 REFUND', '2026-02-10 14:50:00', 7, 1, 'paid', '26-1-000003', -1.21, -0.21,
   '2026-02-10 14:50:00');
INSERT INTO pos_order_line VALUES
  (1, 1, 1, 'L1', 10, 1, 0, 10, 12.100000000000001, NULL), (2, 1, 2, 'L2', 0.5, 2, 0, 1, 1.21, NULL),
  (3, 2, 1, 'L3', 1, 5, 0, 5, 5, NULL), (4, 3, 1, 'L4', -1, 1, 0, -1, -1.21, 1);
INSERT INTO pos_payment VALUES (1, 1, 1, 20, false, '2026-02-10 14:30:00'), (2, 1, 1, -6.69, true,
  '2026-02-10 14:30:00'), (3, 3, 2, -1.21, false, '2026-02-10 14:50:00');
"""
