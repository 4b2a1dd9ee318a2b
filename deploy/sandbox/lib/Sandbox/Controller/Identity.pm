package Sandbox::Controller::Identity;

# The real-name vendor.

use v5.36;
use utf8;
use Mojo::Base 'Sandbox::Controller';
use warnings FATAL => 'all';

use Digest::SHA qw(sha256_hex);
use Mojo::JSON qw(false true);
use Sandbox::Identity qw(check_question product verdict);
use Sandbox::Value qw(random_hex);

# No record costs nothing, an answer does.
my %OUTCOMES = (
  MATCH     => {billed => true,  vendorCode => '0', message => '核验一致'},
  MISMATCH  => {billed => true,  vendorCode => '1', message => '核验不一致'},
  NO_RECORD => {billed => false, vendorCode => '2', message => '库中无此号'},
);

sub verify ($self) {
  $self->answer(
    identity => sub ($status) { {code => 'UNAVAILABLE', message => 'the service is unavailable'} },
    sub { $self->_verify }
  );
  return;
}

sub _verify ($self) {
  my $body   = $self->req->body;
  my $reason = $self->app->identity_gate->refuse($self->req->headers->authorization // '', $body);
  return (401, {code => 'UNAUTHORIZED', message => $reason}) if defined $reason;

  my ($question) = $self->json_body or return (400, _bad('the body is not JSON'));
  my $wrong = check_question($question);
  return (400, _bad(join('; ', map {"$_->{field} $_->{reason}"} @$wrong), $wrong)) if @$wrong;
  return $self->_answer_once($question, sha256_hex($body));
}

sub _bad ($message, $errors = []) {
  return {code => 'BAD_REQUEST', message => $message, errors => $errors};
}

sub _answer_once ($self, $question, $digest) {
  my $id    = $question->{requestId};
  my $given = $self->app->answers->find($id);
  if (!$given) {
    my $answer = $self->_judge($question);
    $self->app->answers->add($id, $digest, $answer);
    return (200, $answer);
  }
  return (200, $given->{answer}) if $given->{digest} eq $digest;
  return (409, {code => 'REQUEST_ID_REUSED', message => "requestId $id was used for another question"});
}

sub _judge ($self, $question) {
  my ($product, $subject) = (product($question->{product}), $question->{subject});
  my $record = $self->app->registry->find($product->{list}, $subject->{$product->{key}});
  my ($verdict, $fields) = verdict($product, $subject, $record);
  return {
    $OUTCOMES{$verdict}->%*,
    requestId    => $question->{requestId},
    vendorSerial => 'SB' . uc random_hex(12),
    verdict      => $verdict,
    fields       => $fields,
  };
}

1;
